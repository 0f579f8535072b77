"""What each command asks of the supervisor, and that ``--json`` prints exactly what it answered."""

import os
from typing import Any

import msgspec
import pytest

from tests.support import Home
from tests.unit.cli import _samples as samples
from tests.unit.cli._peer import Peer, Streamed
from tmuxorc.model import (
    AgentSpec,
    AgentState,
    AutoShutdown,
    Desired,
    Restart,
    Rung,
    SessionView,
    Strategy,
    TeamSpec,
)
from tmuxorc.wire import methods as m

AGENT = samples.agent()
MESSAGE = samples.message()
DETAIL = m.TeamDetail(team=samples.team(), agents=(AGENT,))
SENT = m.Sent.of((MESSAGE,))
LISTED = m.MessageList(messages=(MESSAGE,))
DONE = m.Done(changed=True, message="it is so")
ATTACH = m.AttachTarget(tmux="/usr/bin/tmux", tmux_socket="/tmp/t", session="$1", window="@2")
SCREEN = m.Screen(
    address="main/alice", pane="%3", lines=("$ ls", "a  b"), cursor=(0, 2), columns=80, rows=24, title="t"
)

REQUESTS: dict[str, tuple[m.AnyMethod, object, object]] = {
    "list": (m.AGENT_LIST, m.ListAgents(), m.AgentList(agents=(AGENT,))),
    "list -t a --state idle -s busy": (
        m.AGENT_LIST,
        m.ListAgents(team="a", states=(AgentState.IDLE, AgentState.BUSY)),
        m.AgentList(agents=()),
    ),
    "status": (m.SYSTEM_STATUS, m.Empty(), samples.system_status()),
    "agent info alice": (m.AGENT_INFO, m.Target(target="alice"), AGENT),
    "screen alice --ansi --history 9": (m.AGENT_SCREEN, m.ReadScreen(target="alice", ansi=True, history=9), SCREEN),
    "agent keys alice C-c Enter": (m.AGENT_KEYS, m.SendKeys(target="alice", keys=("C-c", "Enter")), DONE),
    "agent keys alice -l hi": (m.AGENT_KEYS, m.SendKeys(target="alice", keys=("hi",), literal=True), DONE),
    "wait alice -s idle -s blocked --timeout 2m": (
        m.AGENT_WAIT,
        m.WaitAgent(target="alice", states=(AgentState.IDLE, AgentState.BLOCKED), timeout_s=120.0),
        AGENT,
    ),
    "wait alice": (m.AGENT_WAIT, m.WaitAgent(target="alice", states=(AgentState.IDLE,)), AGENT),
    "agent start alice": (m.AGENT_START, m.Target(target="alice"), AGENT),
    "agent stop alice --grace 500ms": (m.AGENT_STOP, m.StopAgent(target="alice", grace_s=0.5), AGENT),
    "agent restart alice": (m.AGENT_RESTART, m.StopAgent(target="alice"), AGENT),
    "agent kill alice": (m.AGENT_KILL, m.Target(target="alice"), AGENT),
    "agent remove alice": (m.AGENT_REMOVE, m.StopAgent(target="alice"), DONE),
    "agent adopt %12": (m.AGENT_ADOPT, m.Adopt(pane="%12", name="pane-12"), AGENT),
    "agent adopt %12 --name x -t ops -k shell --restart permanent": (
        m.AGENT_ADOPT,
        m.Adopt(pane="%12", name="x", team="ops", kind="shell", restart=Restart.PERMANENT),
        AGENT,
    ),
    "send alice hi": (m.MESSAGE_SEND, m.SendMessage(target="alice", text="hi"), SENT),
    "send 'a/*' hi --wait submitted --timeout 5 --from bob": (
        m.MESSAGE_SEND,
        m.SendMessage(target="a/*", text="hi", sender="bob", wait=Rung.SUBMITTED, timeout_s=5.0),
        SENT,
    ),
    "send alice -- -5": (m.MESSAGE_SEND, m.SendMessage(target="alice", text="-5"), SENT),
    "message list -t alice -r held --limit 3": (
        m.MESSAGE_LIST,
        m.ListMessages(target="alice", rungs=(Rung.HELD,), limit=3),
        LISTED,
    ),
    "message show m-1": (m.MESSAGE_SHOW, m.MessageId(id="m-1"), MESSAGE),
    "message dead-letters": (
        m.MESSAGE_LIST,
        m.ListMessages(rungs=(Rung.DEAD_LETTER, Rung.EXPIRED, Rung.CANCELLED)),
        LISTED,
    ),
    "message redeliver m-1": (m.MESSAGE_REDELIVER, m.MessageId(id="m-1"), MESSAGE),
    "team create a": (m.TEAM_CREATE, m.CreateTeam(spec=TeamSpec(name="a")), samples.team("a")),
    "team create a --strategy one_for_all --intensity 3 --period 5m --auto-shutdown any-significant": (
        m.TEAM_CREATE,
        m.CreateTeam(
            spec=TeamSpec(
                name="a",
                strategy=Strategy.ONE_FOR_ALL,
                intensity=3,
                period_s=300.0,
                auto_shutdown=AutoShutdown.ANY_SIGNIFICANT,
            )
        ),
        samples.team("a"),
    ),
    "team list": (m.TEAM_LIST, m.Empty(), m.TeamList(teams=(samples.team(),))),
    "team status a": (m.TEAM_STATUS, m.TeamName(team="a"), DETAIL),
    "team broadcast a hi": (m.MESSAGE_SEND, m.SendMessage(target="a/*", text="hi"), SENT),
    "team start a": (m.TEAM_START, m.TeamName(team="a"), DETAIL),
    "team stop a": (m.TEAM_STOP, m.TeamName(team="a"), DETAIL),
    "team remove a": (m.TEAM_REMOVE, m.TeamName(team="a"), DONE),
    "event list --since 4 -n 2 --subject a": (
        m.EVENT_LIST,
        m.ListEvents(since=4, limit=2, subject="a"),
        m.EventList(events=(samples.event(5),), last_seq=9),
    ),
    "session list": (
        m.SESSION_LIST,
        m.Empty(),
        m.SessionList(sessions=(SessionView(id="$1", name="main", team="main", windows=1, attached=0),)),
    ),
    "daemon status": (m.DAEMON_STATUS, m.Empty(), samples.daemon_status()),
    "daemon start": (m.DAEMON_STATUS, m.Empty(), samples.daemon_status()),
}


@pytest.mark.parametrize("line", REQUESTS)
def test_the_request_and_its_answer(line: str, cmd: Any, peer: Peer) -> None:
    """The words become these parameters; with --json the answer is printed as it came, else something is drawn."""
    method, params, answer = REQUESTS[line]
    peer.answers(method, answer)
    assert _with_json(cmd, line).json == as_read(answer)
    assert peer.asked == [(method.name, params)]
    drawn = cmd(line)
    assert drawn.status == 0
    assert drawn.out.strip()


def as_read(answer: object) -> Any:
    """An answer as a reader of its JSON has it."""
    return msgspec.json.decode(msgspec.json.encode(answer))


def _with_json(cmd: Any, line: str) -> Any:
    before, dashes, after = line.partition(" -- ")
    return cmd(f"{before} --json{dashes}{after}")


def test_spawn_sends_where_it_was_called_from(
    cmd: Any, peer: Peer, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PATH and working directory are the caller's, so that the program meant is the program run."""
    peer.answers(m.AGENT_SPAWN, AGENT)
    monkeypatch.chdir(home.root)
    assert cmd("spawn alice --kind demo --json").json["name"] == "alice"
    assert peer.last.spec == AgentSpec(name="alice", kind="demo", cwd=str(home.root), path=os.environ["PATH"])
    assert peer.last.wait is None


def test_spawn_takes_everything_there_is_to_say(cmd: Any, peer: Peer, home: Home) -> None:
    peer.answers(m.AGENT_SPAWN, AGENT)
    brief = home.root / "brief.md"
    brief.write_text("Do it.\nWell.\n")
    line = (
        "spawn build --team ops -C / -e A=1 --env B= --role maker --restart permanent --shutdown 1m --significant "
        f"--brief @{brief} --wait ready --timeout 90 -- make -j 4 'a b'"
    )
    assert cmd(line).status == 0
    assert peer.last == m.Spawn(
        spec=AgentSpec(
            name="build",
            team="ops",
            kind="command",
            command=("make", "-j", "4", "a b"),
            cwd="/",
            env={"A": "1", "B": ""},
            path=os.environ["PATH"],
            brief="Do it.\nWell.",
            role="maker",
            restart=Restart.PERMANENT,
            shutdown_s=60.0,
            significant=True,
        ),
        wait="ready",
        timeout_s=90.0,
    )


def test_a_variable_named_alone_is_handed_on(cmd: Any, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its value never stands in the list of processes."""
    peer.answers(m.AGENT_SPAWN, AGENT)
    monkeypatch.setenv("SECRET_TOKEN", "s3=cret ")
    monkeypatch.setenv("EMPTY", "")
    assert cmd("spawn a -e SECRET_TOKEN --env EMPTY --env B=2 -- x").status == 0
    assert peer.last.spec.env == {"SECRET_TOKEN": "s3=cret ", "EMPTY": "", "B": "2"}


def test_a_relative_directory_is_made_absolute(cmd: Any, peer: Peer, home: Home, monkeypatch: Any) -> None:
    peer.answers(m.AGENT_SPAWN, AGENT)
    monkeypatch.chdir(home.root)
    assert cmd("spawn a --cwd sub/../other -- x").status == 0
    assert peer.last.spec.cwd == str(home.root / "other")


def test_status_of_a_send_says_whether_it_can_arrive(cmd: Any, peer: Peer) -> None:
    """A copy that is known not to arrive is a failure; one that waits, or may have arrived, is not."""
    for rung, status in ((Rung.HELD, 0), (Rung.UNVERIFIED, 0), (Rung.DEAD_LETTER, 1), (Rung.EXPIRED, 1)):
        peer.answers(m.MESSAGE_SEND, m.Sent.of((MESSAGE, samples.message("m-2", rung=rung))))
        assert cmd("send alice hi").status == status
        assert cmd("team broadcast a hi --json").status == status


def test_attach_as_json_says_how(cmd: Any, peer: Peer) -> None:
    peer.answers(m.AGENT_ATTACH, ATTACH).answers(m.SESSION_ATTACH, ATTACH)
    shown = cmd("attach alice --read-only --json").json
    assert shown["command"] == ["/usr/bin/tmux", "-u", "-S", "/tmp/t", "attach-session", "-r", "-t", "$1:@2"]
    assert cmd("session attach main --json").json["session"] == "$1"


def test_following_prints_an_object_a_line_until_the_stream_ends(cmd: Any, peer: Peer) -> None:
    events = (samples.event(5), samples.event(6, type="agent.exited"))
    ended = m.EventList(events=(), last_seq=6)
    peer.answers(m.EVENT_FOLLOW, Streamed(*events, result=ended))
    shown = cmd("event follow --since 4 --subject main/alice --json")
    assert [msgspec.json.decode(line)["seq"] for line in shown.out.splitlines()] == [5, 6]
    assert peer.last == m.FollowEvents(since=4, subject="main/alice")
    assert "agent.exited" in cmd("event follow").out


def test_team_apply_sends_the_file_and_shows_the_plan(cmd: Any, peer: Peer, home: Home) -> None:
    file = home.root / "t.toml"
    file.write_text('[team]\nname = "a"\n[[agent]]\nname = "x"\nkind = "demo"\n')
    steps = (
        m.PlanStep(action="create", subject="a/x", why="not there"),
        m.PlanStep(action="keep", subject="a/y", why=""),
    )
    plan = m.Plan(team="a", steps=steps, applied=True)
    peer.answers(m.TEAM_APPLY, Streamed(*steps, result=plan))
    assert cmd(f"team apply {file} --json").json == as_read(plan)
    assert [a.address for a in peer.last.agents] == ["a/x"]
    assert not peer.last.dry_run
    shown = cmd(f"team apply {file} --dry-run").out
    assert peer.last.dry_run
    assert "+ create a/x" in shown
    assert "a/y" not in shown


def test_bare_program_shows_the_state_of_things(cmd: Any, peer: Peer) -> None:
    """Ten lines at most, the last says what to type next."""
    needs = tuple(samples.attention(f"main/{name}") for name in "abcdefg")
    peer.answers(m.SYSTEM_STATUS, samples.system_status(attention=needs, agents_total=7))
    lines = cmd("").out.splitlines()
    assert len(lines) <= 10
    assert lines[-1].startswith("next: tmux-orc screen main/a")
    shown = cmd("--json").json
    assert shown["running"]
    assert shown["status"]["pid"] == samples.DAEMON["pid"]


def test_what_to_type_next_names_the_instance(cmd: Any, home: Home) -> None:
    """A demo has an instance of its own."""
    expected = ["tmux-orc demo", "tmux-orc -L work spawn alice --kind demo", "tmux-orc --help"]
    assert cmd("-L work --json").json["next"] == expected
    assert f"next: {' | '.join(expected)}" in cmd("-L work").out


def test_bare_program_without_a_supervisor_starts_none(cmd: Any, home: Home) -> None:
    shown = cmd("")
    assert shown.status == 0
    assert "no supervisor is running" in shown.out
    assert "tmux-orc demo" in shown.out
    assert not cmd("--json").json["running"]
    assert not list(home.runtime.iterdir())


def test_desired_stopped_agents_say_so(cmd: Any, peer: Peer) -> None:
    stopped = samples.agent(state=AgentState.EXITED, desired=Desired.STOPPED, detail="ended")
    peer.answers(m.AGENT_LIST, m.AgentList(agents=(stopped,)))
    assert "stopped" in cmd("list").out
