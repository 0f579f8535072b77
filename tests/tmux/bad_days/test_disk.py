"""A disk or a journal that fails: what cannot be kept is refused, what runs goes on, and room heals everything."""

import json
import os
import resource
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import Cli, Home, TmuxServer
from tests.tmux.supervisor._orc import DEADLINE_S, IDLE, PYTHON, SLEEP, Orc, alive
from tmuxorc.errors import RemoteError
from tmuxorc.model import Rung
from tmuxorc.wire import methods as m

DEMO = (PYTHON, "-I", "-m", "tmuxorc.agents.demo")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process's files")


@contextmanager
def full_disk(orc: Orc) -> Iterator[None]:
    """The supervisor's files cannot grow any more; agents and tmux are not concerned."""
    pid = orc.supervisor.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_agents_run_and_nothing_is_promised(cli: Cli, orc: Orc) -> None:
    alice = orc.spawn("alice", *SLEEP)
    with full_disk(orc):
        for words in (["send", "alice", "hello"], ["spawn", "bob", "--", *SLEEP], ["agent", "stop", "alice"]):
            refused = cli("--json", *words)
            assert refused.status == 1
            assert refused.error["code"].startswith("journal"), refused.stderr
            assert refused.error["hint"]
        assert list(orc.agents()) == ["main/alice"]
        orc.kill_process("alice")
        again = orc.await_state("alice", *[state for state in type(alice.state) if state.alive])
        assert orc.info("alice").state.alive
        assert again.desired == "running"
    assert orc.call(m.MESSAGE_LIST, m.ListMessages()).messages == ()
    assert orc.await_generation("main/alice", 2).pid != alice.pid
    orc.kill_supervisor()
    assert orc.await_adoption("main/alice").generation == 2


def test_a_delivery_waits_for_the_disk_and_is_made_once(orc: Orc, home: Home) -> None:
    """However long that takes: it is no failure of the agent's."""
    record = home.root / "record"
    orc.spawn("alice", *DEMO, "--record", str(record), kind="demo", wait="ready")
    orc.send("alice", "ask may I", Rung.SUBMITTED)
    held = [*orc.send("alice", "echo one"), *orc.send("alice", "echo two")]
    orc.await_rung(held[0], Rung.HELD)
    with full_disk(orc):
        orc.keys("alice", "Enter")
        orc.await_state("alice", IDLE)
        assert not record_has(record, "echo one")
        assert orc.message(held[0].id).rung is Rung.HELD
    last = orc.send("alice", "echo three", Rung.SUBMITTED)
    assert [orc.message(message.id).rung.settled for message in (*held, *last)] == [True] * 3
    orc.await_state("alice", IDLE)
    texts = [json.loads(line)["text"] for line in record.read_text().splitlines()]
    assert texts == ["ask may I", "echo one", "echo two", "echo three"]
    assert orc.info("alice").generation == 1
    refusals = [line for line in Path(orc.paths.log).read_text().splitlines() if "takes no writes" in line]
    assert len(refusals) <= 1, "said once, not at every attempt"


def record_has(record: Path, text: str) -> bool:
    return record.exists() and text in record.read_text()


def test_a_journal_that_cannot_be_used_stops_nobody(cli: Cli, orc: Orc, home: Home, subtests: pytest.Subtests) -> None:
    """Damaged or of a newer version: each command says so, the agents run on, and the good journal finds them again."""
    alice = orc.spawn("alice", *SLEEP)
    orc.supervisor.stop(agents=False)
    good = home.root / "good.db"
    shutil.copy(orc.paths.journal, good)
    for name, break_it, code in (
        ("garbage", lambda path: path.write_bytes(os.urandom(5000)), "journal_corrupt"),
        ("cut short", lambda path: path.write_bytes(good.read_bytes()[:6000]), "journal_corrupt"),
        ("newer", set_version, "journal_newer"),
    ):
        with subtests.test(journal=name):
            shutil.copy(good, orc.paths.journal)
            break_it(Path(orc.paths.journal))
            failed = cli("send", "alice", "hi", "--json")
            assert (failed.status, failed.error["code"]) == (1, code)
            assert failed.error["hint"]
            assert cli("doctor").status == 1
            assert alive(alice.pid)
    shutil.copy(good, orc.paths.journal)
    orc.supervisor.start()
    assert orc.await_adoption("main/alice").pid == alice.pid


def set_version(path: Path) -> None:
    with sqlite3.connect(path) as journal:
        journal.execute("PRAGMA user_version = 999")
    journal.close()


def test_agents_of_a_lost_journal_run_on_and_can_be_adopted(cli: Cli, orc: Orc) -> None:
    alice = orc.spawn("alice", *SLEEP)
    orc.supervisor.stop(agents=False)
    for file in Path(orc.paths.state_dir).glob("journal.db*"):
        file.unlink()
    orc.supervisor.start()
    assert orc.agents() == {}
    assert alive(alice.pid)
    again = cli.json("agent", "adopt", str(alice.pane), "--name", "alice")
    assert (again["pid"], again["pane"]) == (alice.pid, alice.pane)
    orc.stop("alice")
    assert not alive(alice.pid)


def test_a_place_for_state_that_is_none_is_one_clear_error(cli: Cli, home: Home, tmux_binary: str) -> None:
    home.state.rmdir()
    home.state.write_text("in the way")
    for words in (["spawn", "bob", "--", *SLEEP], ["daemon", "start"]):
        failed = cli("--json", *words)
        assert (failed.status, failed.error["code"]) == (2, "config")
        assert str(home.state) in failed.error["message"]
        assert failed.error["hint"]
    home.state.unlink()
    home.state.mkdir(mode=0o700)
    assert not TmuxServer(tmux_binary, str(home.tmux / f"tmux-{os.getuid()}" / "tmuxorc")).alive


def test_a_socket_path_too_long_is_one_clear_error(cli: Cli, home: Home) -> None:
    deep = home.root / ("d" * 100)
    deep.mkdir(mode=0o700)
    failed = cli("list", "--json", env={"XDG_RUNTIME_DIR": str(deep)})
    assert (failed.status, failed.error["code"]) == (2, "config")
    assert "XDG_RUNTIME_DIR" in failed.error["hint"]
    failed = cli("list", "--json", env={"TMUX_TMPDIR": str(deep)})
    assert (failed.status, failed.error["code"]) == (2, "config")
    assert "TMUX_TMPDIR" in failed.error["hint"]


def test_a_refused_write_is_the_senders_to_know(orc: Orc) -> None:
    orc.spawn("alice", *SLEEP)
    with full_disk(orc):
        with pytest.raises(RemoteError) as refused:
            orc.call(m.MESSAGE_SEND, m.SendMessage(target="alice", text="x" * 100_000), DEADLINE_S)
        assert refused.value.details["path"] == orc.paths.journal
    assert orc.send("alice", "x")[0].id == "m-1"
