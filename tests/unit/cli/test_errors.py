"""Everything that can go wrong: one clear error, on the right stream, with the right exit status."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import Home
from tests.unit.cli import _samples as samples
from tests.unit.cli._peer import Peer
from tmuxorc.cli._main import wants_json
from tmuxorc.errors import ConflictError, ExitStatus, NotFoundError, RefusedError, TimedOutError, TmuxError
from tmuxorc.wire import methods as m

TMUX_ORC = [sys.executable, "-m", "tmuxorc.cli"]


def test_people_see_the_error_and_what_to_do(cmd: Any, peer: Peer) -> None:
    peer.answers(m.AGENT_INFO, NotFoundError("there is no agent 'bob'", hint="tmux-orc list"))
    shown = cmd("agent info bob")
    assert (shown.out, shown.err) == ("", "error: there is no agent 'bob'\nhint: tmux-orc list\n")
    assert shown.status == 3


def test_a_path_that_is_not_utf8_is_told_like_any_other(home: Home, tmp_path: Path) -> None:
    missing = os.fsencode(tmp_path) + b"/\xff.toml"
    done = subprocess.run([*TMUX_ORC, "config", "check", missing, "--json"], capture_output=True, check=False)
    assert done.returncode == 3
    assert json.loads(done.stderr)["error"]["message"] == f"no such file: {os.fsdecode(missing)}"
    there = {**os.environ, "XDG_CONFIG_HOME": f"{tmp_path}/\udcff"}
    done = subprocess.run([*TMUX_ORC, "config", "path", "--json"], env=there, capture_output=True, check=False)
    assert json.loads(done.stdout)["path"] == f"{tmp_path}/\udcff/tmux-orc/config.toml"


HINTS = {
    "see: tmux-orc list": "see: tmux-orc -L work list",
    "or: tmux-orc agent info a; or: tmux-orc doctor": "or: tmux-orc -L work agent info a; or: tmux-orc -L work doctor",
    "use the version of tmux-orc that wrote it": "use the version of tmux-orc that wrote it",
    "tmux-orc config check": "tmux-orc config check",
}


@pytest.mark.parametrize(("said", "shown"), HINTS.items())
def test_a_hint_names_the_instance_that_was_asked(cmd: Any, home: Home, said: str, shown: str) -> None:
    """What it tells to type works as it stands."""
    with Peer("work") as peer:
        peer.answers(m.AGENT_INFO, NotFoundError("no such agent", hint=said))
        assert f"hint: {shown}\n" in cmd("-L work agent info x").err
        assert json.loads(cmd("agent info x --json --instance work").err)["error"]["hint"] == shown


def test_a_hint_about_the_default_instance_stays_short(cmd: Any, peer: Peer) -> None:
    peer.answers(m.AGENT_INFO, NotFoundError("no such agent", hint="see: tmux-orc list"))
    assert "hint: see: tmux-orc list\n" in cmd("agent info x").err
    assert "hint: see: tmux-orc list\n" in cmd("-L default agent info x").err


def test_programs_see_one_object_with_everything(cmd: Any, peer: Peer) -> None:
    peer.answers(m.AGENT_INFO, ConflictError("two", hint="say which", details={"addresses": ["a/x", "b/x"]}))
    shown = cmd("agent info x --json")
    assert shown.out == ""
    assert shown.error == {
        "code": "conflict",
        "message": "two",
        "hint": "say which",
        "details": {"addresses": ["a/x", "b/x"]},
    }
    assert shown.status == 4


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TmuxError("x"), ExitStatus.FAILED),
        (NotFoundError("x"), ExitStatus.NOT_FOUND),
        (ConflictError("x"), ExitStatus.CONFLICT),
        (RefusedError("x"), ExitStatus.REFUSED),
        (TimedOutError("x"), ExitStatus.TIMED_OUT),
    ],
)
def test_the_supervisors_errors_keep_their_status(cmd: Any, peer: Peer, error: Any, status: ExitStatus) -> None:
    peer.answers(m.AGENT_INFO, error)
    assert cmd("agent info x").status == status


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nosuch", "No such command 'nosuch'"),
        ("lst", "Did you mean 'list'?"),
        ("agent nosuch", "No such command 'nosuch'"),
        ("list --nosuch", "No such option '--nosuch'"),
        ("list --state bzy", "'bzy' is not one of 'starting', 'idle'"),
        ("spawn", "Missing argument 'NAME'"),
        ("send a b c", "unexpected extra argument (c)"),
        ("send a", "either as TEXT or with --file"),
        ("send a b --file /dev/null", "either as TEXT or with --file"),
        ("spawn a -e NOT_SET_ANYWHERE -- x", "NOT_SET_ANYWHERE is not set here: export it first"),
        ("spawn a -e =1 -- x", "'=1' is neither KEY=VALUE nor KEY"),
        ("wait a --timeout soon", "'soon' is not a time"),
        ("wait a --timeout -1", "'-1' is not a time"),
        ("screen a --history x", "'x' is not a valid int"),
        ("daemon logs --lines -1", "less than none"),
        ("spawn a/b -- x", "bad agent name 'a/b': it contains '/'"),
        ("spawn '' -- x", "it is empty"),
        ("spawn 'a b' -- x", "it contains ' '"),
        ("spawn -- -x y", "it starts with '-'"),
        ("spawn a --team '' -- x", "bad team name"),
        ("team create ☃", "bad team name '\\u2603'"),
        ("-L a/b list", "bad instance name"),
        ("completion tcsh", "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
    ],
)
def test_usage_errors_are_ours_too(cmd: Any, line: str, said: str) -> None:
    """Status 2, one ``error:`` line, a hint, and with ``--json`` the same as an object."""
    shown = cmd(line)
    assert (shown.status, shown.out) == (2, "")
    assert shown.err.startswith("error: ")
    assert said in shown.err
    assert "\nhint: " in shown.err
    assert said in cmd(f"--json {line}").error["message"]


def test_a_verb_without_its_noun_is_understood(cmd: Any) -> None:
    assert "tmux-orc agent info" in cmd("info alice").err
    assert "tmux-orc agent stop or: tmux-orc team stop" in cmd("stop").err


def test_a_long_name_is_cut_in_the_message(cmd: Any) -> None:
    shown = cmd("spawn", "x" * 300, "--", "y")
    assert shown.status == 2
    assert "it has 300 characters" in shown.err
    assert len(shown.err) < 400


def test_a_noun_without_a_verb_is_an_object_too(cmd: Any) -> None:
    assert cmd("agent --json").error["message"] == "tmux-orc agent needs a command"


def test_json_after_the_dashes_belongs_to_the_command() -> None:
    assert wants_json(["spawn", "a", "--json", "--", "x"])
    assert not wants_json(["spawn", "a", "--", "x", "--json"])


def test_an_older_supervisor_is_named_with_the_way_out(cmd: Any, home: Home) -> None:
    with Peer(protocol=99) as peer:
        peer.answers(m.AGENT_LIST, m.AgentList(agents=()))
        error = cmd("list --json").error
    assert error["code"] == "protocol_mismatch"
    assert "tmux-orc daemon restart" in error["hint"]


def test_unreachable_is_status_7(cmd: Any, home: Home) -> None:
    shown = cmd("daemon status --json")
    assert shown.status == 7
    assert shown.error["code"] == "unreachable"
    assert not list(home.state.iterdir()), "asking after the supervisor must not start one"


def test_text_that_is_no_unicode_is_refused_before_it_is_sent(cmd: Any, peer: Peer) -> None:
    """A byte of the command line that is not UTF-8 comes as a lone surrogate."""
    shown = cmd("send", "alice", "a\udcffb", "--json")
    assert shown.status == 2
    assert peer.asked == []


def test_a_message_on_stdin_must_be_utf8(cmd: Any, peer: Peer) -> None:
    done = run_whole("send", "alice", "-", "--json", stdin=b"a\xff")
    assert done.returncode == 2
    assert b"byte 1 is 0xff" in done.stderr
    assert peer.asked == []


def test_stdin_and_files_lose_one_newline(cmd: Any, peer: Peer, home: Home) -> None:
    """As with ``$(…)``, but one only: what else is there was meant."""
    peer.answers(m.MESSAGE_SEND, m.Sent.of((samples.message(),)))
    assert run_whole("send", "alice", "-", stdin=b"one\n\ttwo\n\n").returncode == 0
    assert peer.last.text == "one\n\ttwo\n"
    (home.root / "f").write_bytes("grüße\n".encode())
    assert cmd(f"send alice --file {home.root / 'f'}").status == 0
    assert peer.last.text == "grüße"


@pytest.mark.parametrize(
    ("line", "status"), [("send a --file {}/no", 3), ("send a --file {}", 2), ("team apply {}/no", 3)]
)
def test_files_that_cannot_be_read(cmd: Any, home: Home, line: str, status: int) -> None:
    shown = cmd(line.format(home.root))
    assert shown.status == status
    assert str(home.root) in shown.err


def test_a_directory_that_is_gone(cmd: Any, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = home.root / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    shown = cmd("spawn a -- x")
    monkeypatch.chdir(home.root)
    assert shown.status == 2
    assert "no longer exists" in shown.err


def test_attach_needs_a_terminal(cmd: Any, peer: Peer) -> None:
    target = m.AttachTarget(tmux="/usr/bin/tmux", tmux_socket="/tmp/t", session="$1", window=None)
    peer.answers(m.AGENT_ATTACH, target)
    shown = cmd("attach alice")
    assert shown.status == 5
    assert "needs a terminal" in shown.err


def test_what_an_error_quotes_cannot_act_on_the_terminal(cmd: Any, peer: Peer) -> None:
    peer.answers(m.AGENT_INFO, NotFoundError("no \x1b[2J\x07 here"))
    assert "\x1b" not in cmd("agent info x").err


def test_a_closed_pipe_is_quiet(peer: Peer) -> None:
    """``tmux-orc list | head -0``: no traceback, and the status shells give for SIGPIPE."""
    agents = tuple(samples.agent(f"a{n}", detail="d" * 60) for n in range(3000))
    peer.answers(m.AGENT_LIST, m.AgentList(agents=agents))
    for more in ([], ["--json"]):
        process = subprocess.Popen([*TMUX_ORC, "list", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait(10) == 141


def test_a_full_disk_is_one_clear_error(peer: Peer) -> None:
    peer.answers(m.AGENT_LIST, m.AgentList(agents=()))
    for more in ([], ["--json"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [*TMUX_ORC, "list", *more], stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert done.returncode == 1
        assert "No space left" in done.stderr
        assert "Traceback" not in done.stderr


def test_interrupt_is_quiet(peer: Peer) -> None:
    """Ctrl-C while waiting: status 130 and not a word."""

    def interrupt(_: Any) -> Any:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        return samples.agent()

    peer.scripts[m.AGENT_WAIT.name] = interrupt
    process = subprocess.Popen([*TMUX_ORC, "wait", "alice"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_interrupting_a_stream_is_quiet(peer: Peer) -> None:
    def interrupt(_: Any) -> Any:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        return m.EventList(events=(), last_seq=0)

    peer.scripts[m.EVENT_FOLLOW.name] = interrupt
    process = subprocess.Popen([*TMUX_ORC, "event", "follow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_a_terminal_that_cannot_show_a_character_gets_another(peer: Peer) -> None:
    peer.answers(m.AGENT_LIST, m.AgentList(agents=(samples.agent(detail="grüße ☃"),)))
    done = run_whole("list", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert b"gr??e ?" in done.stdout


def run_whole(
    *words: str, stdin: bytes = b"", env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """The command as a process of its own."""
    return subprocess.run(
        [*TMUX_ORC, *words],
        input=stdin,
        capture_output=True,
        env={**os.environ, **(env or {})},
        timeout=30,
        check=False,
    )
