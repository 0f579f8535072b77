"""Commands that need no supervisor: configuration, log, check-up."""

import json
import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import Home
from tests.unit.cli import _samples as samples
from tests.unit.cli._peer import Peer
from tmuxorc.daemon import lock
from tmuxorc.journal._schema import migrate
from tmuxorc.paths import find_paths, tmux_socket
from tmuxorc.wire import methods as m


@pytest.fixture
def config(home: Home) -> Path:
    """Where the configuration file is, in a directory that is there."""
    file = Path(find_paths().config_file)
    file.parent.mkdir(parents=True)
    return file


def test_config_path(cmd: Any, config: Path) -> None:
    assert cmd("config path").out == f"{config}\n"
    assert cmd("config path --json").json == {"path": str(config), "exists": False}


def test_config_show_tells_what_the_file_changes(cmd: Any, config: Path) -> None:
    assert "all defaults" in cmd("config show").out
    config.write_text("[tmux]\nhistory_limit = 5\n")
    shown = {s["key"]: s for s in cmd("config show --json").json["settings"]}
    assert shown["tmux.history_limit"]["value"] == 5
    assert shown["tmux.history_limit"]["changed"]
    assert not shown["tmux.binary"]["changed"]
    assert "tmux.history_limit" in cmd("config show").out


def test_config_check(cmd: Any, config: Path, home: Home) -> None:
    """Of the file in use, or of another before it is."""
    assert "not there" in cmd("config check").out
    config.write_text("[tmux]\nhistory_limit = 5\n")
    assert cmd("config check --json").json["changed"] == ["tmux.history_limit"]
    other = home.root / "other.toml"
    other.write_text("[tmux]\nhistory_limti = 5\n")
    shown = cmd(f"config check {other} --json")
    assert shown.status == 2
    assert shown.error["details"]["nearest"] == "tmux.history_limit"
    assert cmd(f"config check {home.root}/no").status == 3


def test_logs_are_the_last_lines(cmd: Any, home: Home) -> None:
    paths = find_paths()
    assert cmd("daemon logs").status == 3
    paths.make_state_dir()
    Path(paths.log).write_bytes(b'{"n": 1}\n{"n": 2}\n\xff\x1b[2J\n')
    assert cmd("daemon logs -n 2").out == '{"n": 2}\n�\\x1b[2J\n'
    assert cmd("daemon logs -n 1 --json").json == {"path": paths.log, "lines": ["�\x1b[2J"]}
    assert cmd("daemon logs -n 0").out == ""


def test_doctor_on_a_clean_machine(cmd: Any, home: Home) -> None:
    shown = cmd("doctor")
    assert shown.status == 0, shown.out
    assert "everything is in order" in shown.out
    assert not list(home.runtime.iterdir()), "a check-up leaves nothing behind"
    assert not list(home.state.iterdir())


def examine(cmd: Any) -> dict[str, dict[str, str]]:
    """The findings by name."""
    shown = cmd("doctor --json")
    report = json.loads(shown.out)
    assert report["healthy"] == all(check["status"] != "bad" for check in report["checks"])
    assert shown.status == (0 if report["healthy"] else 1)
    return {check["name"]: check for check in report["checks"]}


def test_doctor_finds_a_supervisor_of_another_version(cmd: Any, peer: Peer) -> None:
    peer.answers(m.DAEMON_STATUS, m.DAEMON_STATUS.result(**(samples.DAEMON | {"version": "0.0.1"})))
    found = examine(cmd)["supervisor"]
    assert (found["status"], found["remedy"]) == ("note", "tmux-orc daemon restart")


def test_doctor_finds_a_stale_socket(cmd: Any, home: Home) -> None:
    paths = find_paths()
    paths.make_runtime_dir()
    with closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(paths.socket)
    assert examine(cmd)["supervisor"]["status"] == "note"
    Path(paths.socket).unlink()
    Path(paths.socket).write_text("in the way")
    assert examine(cmd)["supervisor"]["remedy"] == f"rm {paths.socket}"


def test_doctor_finds_a_supervisor_that_does_not_answer(cmd: Any, home: Home) -> None:
    """Its lock is held, its socket is not there."""
    paths = find_paths()
    paths.make_state_dir()
    held = lock.acquire(paths.lock, 0)
    assert held is not None
    lock.sign(held)
    found = examine(cmd)["supervisor"]
    os.close(held)
    assert found["status"] == "bad"
    assert f"pid {os.getpid()} runs" in found["detail"]


def test_doctor_finds_a_missing_and_an_old_tmux(cmd: Any, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    program = home.programs / "tmux"
    program.write_text("#!/bin/sh\necho tmux 2.9a\n")
    program.chmod(0o755)
    assert "2.9a" in examine(cmd)["tmux"]["detail"]
    monkeypatch.setenv("PATH", str(home.root / "empty"))
    missing = examine(cmd)["tmux"]
    assert missing["status"] == "bad"
    assert "apt" in missing["remedy"]


def test_logs_are_entries_for_people(cmd: Any, home: Home) -> None:
    paths = find_paths()
    paths.make_state_dir()
    entry = {"at": "2026-01-02T03:04:05.678+00:00", "level": "error", "logger": "x", "message": "oh", "pid": 7}
    Path(paths.log).write_text(json.dumps(entry | {"traceback": "one\n  two\x1b[2J"}) + "\n")
    first, *below = cmd("daemon logs").out.splitlines()
    assert first.endswith("error    x: oh  pid=7")
    assert below == ["    one", "      two\\x1b[2J"]


def test_doctor_says_where_home_is_by_a_tilde(cmd: Any, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = find_paths()
    monkeypatch.setenv("HOME", str(Path(paths.state_dir).parents[1]))
    assert "state directory: ~/" in cmd("doctor").out


def test_doctor_finds_a_broken_journal(cmd: Any, home: Home) -> None:
    paths = find_paths()
    paths.make_state_dir()
    with closing(sqlite3.connect(paths.journal)) as journal:
        migrate(journal, paths.journal)
        assert examine(cmd)["journal"]["status"] == "ok"
        journal.execute("pragma user_version = 1000")
        newer = examine(cmd)["journal"]
        assert (newer["status"], newer["remedy"]) == ("bad", "use the newer version of tmux-orc that wrote it")
        journal.execute("pragma application_id = 7")
        assert "not one of this program" in examine(cmd)["journal"]["detail"]
    Path(paths.journal).write_bytes(b"not a database, for sure" * 100)
    assert examine(cmd)["journal"]["status"] == "bad"


def test_doctor_finds_a_broken_configuration(cmd: Any, config: Path) -> None:
    config.write_text("[tmxu]\n")
    assert "tmxu" in examine(cmd)["configuration"]["detail"]


def test_doctor_finds_open_directories(cmd: Any, home: Home) -> None:
    paths = find_paths()
    paths.make_runtime_dir()
    Path(paths.runtime_dir).chmod(0o777)
    found = examine(cmd)["runtime directory"]
    assert (found["status"], found["remedy"]) == ("bad", f"chmod 700 {paths.runtime_dir}")


def test_doctor_finds_a_stale_tmux_socket(cmd: Any, home: Home) -> None:
    place = Path(tmux_socket("default"))
    place.parent.mkdir(parents=True, mode=0o700)
    with closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(place))
    found = examine(cmd)["tmux server"]
    assert found["status"] == "ok"
    assert "stale" in found["detail"]


def test_doctor_finds_a_socket_path_that_is_too_long(cmd: Any, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = home.runtime / ("d" * 90)
    deep.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    assert "too long" in examine(cmd)["directories"]["detail"]


def test_doctor_notes_a_terminal_that_cannot_show_everything(cmd: Any, home: Home, monkeypatch: Any) -> None:
    class Ascii:
        encoding = "ascii"

    from tmuxorc.cli.doctor import _locale

    monkeypatch.setattr("sys.stdout", Ascii())
    assert _locale().status == "note"
