"""What people see: it fits, it obeys nobody else, and it is coloured only where colours belong."""

import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.cli import _samples as samples
from tests.unit.cli._peer import Peer
from tmuxorc.cli.render import render
from tmuxorc.cli.render._text import ago, clean, columns, cut, fields, pad, span, table
from tmuxorc.model import AgentState, LastExit, Rung
from tmuxorc.wire import methods as m

LONG = "n" * 64


def test_the_list_of_agents_fits_80_columns(cmd: Any, peer: Peer) -> None:
    """Whatever names, kinds and details there are."""
    agents = (
        samples.agent(),
        samples.agent(LONG, team=LONG, kind="k" * 40, detail="d" * 500, restarts=1000, messages_waiting=64),
        samples.agent("wide", detail="日本語" * 40),
    )
    peer.answers(m.AGENT_LIST, m.AgentList(agents=agents))
    shown = cmd("list").out.splitlines()
    assert len(shown) == 4
    assert max(map(columns, shown)) <= 80
    assert "main/alice" in shown[1]


def test_a_short_list_is_not_cut(cmd: Any, peer: Peer) -> None:
    peer.answers(m.AGENT_LIST, m.AgentList(agents=(samples.agent(detail="Run: make release"),)))
    assert cmd("list").out.splitlines()[1].split() == [
        "main/alice",
        "demo",
        "idle",
        "5m",
        "%3",
        "Run:",
        "make",
        "release",
    ]


@pytest.mark.parametrize("line", ["list", "message list", "message show m-1", "agent info a", "screen a", "status", ""])
def test_nothing_an_agent_says_reaches_the_terminal(line: str, cmd: Any, peer: Peer) -> None:
    """Titles, details, screens and messages may hold any control sequence; all are shown, none is obeyed."""
    evil = "x\x1b]0;owned\x07\x1b[2J\x9b31m\r\n\t\x00y"
    agent = samples.agent(detail=evil, role=evil, last_exit=LastExit(reason="failed", at=samples.THEN, message=evil))
    message = samples.message(text=evil, detail=evil, sender=evil)
    status = samples.system_status(attention=(samples.attention(detail=evil),))
    screen = m.Screen(
        address="a",
        pane="%1",
        lines=("\x1b[31mred\x1b[0m \x1b]0;owned\x07 \x1b[2J",),
        cursor=(0, 0),
        columns=9,
        rows=9,
        title=evil,
    )
    peer.answers(m.AGENT_LIST, m.AgentList(agents=(agent,))).answers(m.AGENT_INFO, agent)
    peer.answers(m.MESSAGE_LIST, m.MessageList(messages=(message,))).answers(m.MESSAGE_SHOW, message)
    peer.answers(m.SYSTEM_STATUS, status).answers(m.AGENT_SCREEN, screen)
    shown = cmd(line).out.replace("\x1b[31m", "").replace("\x1b[0m", "")
    assert all(c.isprintable() or c == "\n" for c in shown), shown


def test_colours_of_a_screen_are_let_through_and_ended(cmd: Any, peer: Peer) -> None:
    """``screen --ansi`` is the pane as it is: colours, but nothing else that a terminal would act on."""
    line = "\x1b[1;38;5;9mred\x1b[39m"
    screen = m.Screen(address="a", pane="%1", lines=(line, "plain"), cursor=(0, 0), columns=9, rows=9, title="")
    peer.answers(m.AGENT_SCREEN, screen)
    assert cmd("screen a --ansi").out == f"{line}\x1b[0m\nplain\n"


def test_a_message_keeps_its_lines(cmd: Any, peer: Peer) -> None:
    peer.answers(m.MESSAGE_SHOW, samples.message(text="one\n\ttwo"))
    assert "text     one\n             two" in cmd("message show m-1").out


def test_how_an_agent_ended_is_told_in_full(cmd: Any, peer: Peer) -> None:
    ended = LastExit(
        reason="failed", at=samples.THEN, status=3, message="it crashed", last_lines=("boom", "", "─" * 200, "x" * 200)
    )
    peer.answers(m.AGENT_INFO, samples.agent(last_exit=ended, restart_at=samples.THEN, adopted=True, brief="Do it."))
    shown = cmd("agent info a").out
    assert "failed, status 3, it crashed, 5m ago" in shown
    assert "| boom" in shown
    assert "─" not in shown, "a rule without what it parts says nothing"
    assert "1, 0 restarts" in shown
    assert "back in" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_empty_answers_say_what_to_do(cmd: Any, peer: Peer) -> None:
    """An empty table helps nobody."""
    peer.answers(m.AGENT_LIST, m.AgentList(agents=())).answers(m.TEAM_LIST, m.TeamList(teams=()))
    peer.answers(m.MESSAGE_LIST, m.MessageList(messages=())).answers(m.SESSION_LIST, m.SessionList(sessions=()))
    peer.answers(m.EVENT_LIST, m.EventList(events=(), last_seq=7))
    peer.answers(m.TEAM_STATUS, m.TeamDetail(team=samples.team(agents=(), states={}), agents=()))
    assert "tmux-orc spawn" in cmd("list").out
    assert "tmux-orc team create" in cmd("team list").out
    assert cmd("message list").out == "no messages\n"
    assert cmd("session list").out == "no sessions\n"
    assert cmd("event list").out == "no events after 7\n"
    assert "no agents in it" in cmd("team status main").out


def test_where_each_copy_of_a_message_stands(cmd: Any, peer: Peer) -> None:
    held = samples.message("m-2", target="main/bob", rung=Rung.HELD, detail="it is blocked")
    peer.answers(m.MESSAGE_SEND, m.Sent.of((samples.message(rung=Rung.SUBMITTED), held)))
    assert cmd("send 'main/*' hi").out == "m-1 to main/alice: submitted\nm-2 to main/bob: held (it is blocked)\n"


def test_more_than_a_glance_is_counted(cmd: Any, peer: Peer) -> None:
    peer.answers(m.SYSTEM_STATUS, samples.system_status(attention=(samples.attention(),) * 8))
    assert "and 3 more: tmux-orc list" in cmd("status").out


def test_a_plan_with_nothing_to_do() -> None:
    kept = m.PlanStep(action="keep", subject="a/x", why="")
    assert "nothing to do" in render(m.Plan(team="a", steps=(kept,), applied=True))
    would = m.Plan(team="a", steps=(m.PlanStep(action="remove", subject="a/x", why="not in it"),), applied=False)
    assert "- remove a/x  (not in it)" in render(would)
    assert "--dry-run" in render(would)


def test_nothing_is_said_twice_of_an_exit(cmd: Any, peer: Peer) -> None:
    ended = LastExit(reason="failed", at=samples.THEN, status=1, message="exited with status 1")
    peer.answers(m.AGENT_INFO, samples.agent(last_exit=ended))
    assert "last exit   failed, status 1, 5m ago" in cmd("agent info a").out


def test_what_was_done_to_an_agent_is_one_line(cmd: Any, peer: Peer) -> None:
    peer.answers(m.AGENT_START, samples.agent()).answers(m.AGENT_STOP, samples.agent(state=AgentState.EXITED, pid=None))
    assert cmd("agent start alice").out == f"main/alice is idle, pid {samples.agent().pid} in pane %3\n"
    assert cmd("agent stop alice").out == "main/alice is exited\n"


def on_a_terminal(*words: str, **env: str) -> str:
    """What the command writes when standard output is a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, True)
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | env
    with subprocess.Popen([sys.executable, "-m", "tmuxorc.cli", *words], stdout=theirs, env=environment) as process:
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:  # Linux says so when the other side is closed
            pass
        os.close(ours)
    assert process.returncode == 0
    return said.decode()


def test_colour_is_for_terminals_that_want_it(cmd: Any, peer: Peer) -> None:
    """On a terminal yes; in a pipe, with NO_COLOR, or on a dumb terminal no."""
    peer.answers(m.AGENT_LIST, m.AgentList(agents=(samples.agent(state=AgentState.BLOCKED),)))
    assert "\x1b[33mblocked" in on_a_terminal("list")
    assert "\x1b" not in on_a_terminal("list", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal("list", TERM="dumb")
    assert "\x1b" not in cmd("list").out


def test_a_screen_fits_a_terminal_and_is_as_it_is_elsewhere(cmd: Any, peer: Peer) -> None:
    lines = ("top", "", "", "", "─" * 200, "❯", "x" * 120)
    screen = m.Screen(address="a", pane="%1", lines=lines, cursor=(0, 0), columns=200, rows=7, title="")
    peer.answers(m.AGENT_SCREEN, screen)
    assert cmd("screen a").out == "\n".join(lines) + "\n"
    assert on_a_terminal("screen", "a").splitlines() == ["top", "", "─" * 80, "❯", "x" * 120]


@given(st.text(max_size=200))
def test_a_clean_line_is_one_printable_line(text: str) -> None:
    assert clean(text).isprintable()


@given(st.text(max_size=60), st.integers(0, 40))
def test_cut_and_pad_keep_to_their_room(text: str, room: int) -> None:
    line = clean(text)
    assert columns(cut(line, room)) <= room
    assert columns(pad(line, room)) == room


@given(st.lists(st.lists(st.text(max_size=90), min_size=4, max_size=4), max_size=5))
def test_a_table_always_fits(rows: list[list[str]]) -> None:
    drawn = table(("A", "BB", "CCC", "D"), rows, flexible=("CCC",)).split("\n")
    assert len(drawn) == 1 + len(rows)
    assert max(map(columns, drawn)) <= 80


def test_a_table_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """When nothing is left of the flexible column, the others give way."""
    monkeypatch.setattr("tmuxorc.cli.render._text.width", lambda: 30)
    drawn = table(
        ("AGENT", "RESTARTS", "MESSAGES", "DETAIL"), [("main/alice", "1", "2", "d" * 90)], flexible=("DETAIL",)
    )
    assert max(map(len, drawn.split("\n"))) <= 30


def test_flexible_columns_give_way_first() -> None:
    drawn = table(("NAME", "TEXT"), [("n" * 30, "t" * 90)], flexible=("TEXT",))
    assert "n" * 30 in drawn


def test_times_are_one_number() -> None:
    assert [span(s) for s in (-1, 0, 59.9, 60, 3599, 3600, 86_399, 86_400, 1e7)] == [
        "0s", "0s", "59s", "1m", "59m", "1h", "23h", "1d", "115d",
    ]  # fmt: skip
    assert ago(datetime.now(UTC) - timedelta(hours=3)) == "3h"


def test_fields_leave_out_what_is_not_there() -> None:
    assert fields((("a", 1), ("long", None), ("b", ""), ("c", "x\ny"))) == "a  1\nc  x\n   y"
