"""What the demo shows, one function a scene; each waits for what it shows to have really happened."""

import os
import signal
import sys
import time
from collections.abc import Callable

import trio

from tmuxorc.cli._app import App
from tmuxorc.cli.render import render
from tmuxorc.cli.render._text import paint
from tmuxorc.errors import TimedOutError, TmuxOrcError
from tmuxorc.model import AgentSpec, AgentState, AgentView, EventView, Restart, Rung, TeamSpec
from tmuxorc.tmux.process import open_process_watch
from tmuxorc.wire.methods import (
    AGENT_INFO,
    AGENT_KEYS,
    AGENT_LIST,
    AGENT_SCREEN,
    AGENT_WAIT,
    DAEMON_STATUS,
    EVENT_FOLLOW,
    EVENT_LIST,
    MESSAGE_SEND,
    SESSION_ATTACH,
    SYSTEM_STATUS,
    TEAM_APPLY,
    ApplyTeam,
    Empty,
    FollowEvents,
    ListAgents,
    ListEvents,
    PlanStep,
    ReadScreen,
    SendKeys,
    SendMessage,
    Target,
    TeamName,
    WaitAgent,
)

TEAM = "demo"
NAMES = ("lead", "coder", "tester", "writer")
PATIENCE_S = 30.0
"""No scene takes longer; one that does has failed."""


class Show:
    """A demo under way: the application of the throwaway instance, and the pauses a reader needs."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._pause_s = 1.0 if sys.stdout.isatty() else 0.0

    def title(self, text: str) -> None:
        """Begin a scene."""
        self.app.say(f"\n{paint(text, 'bold')}")

    def say(self, text: str) -> None:
        """A line of the story."""
        self.app.say(f"  {text}")
        time.sleep(self._pause_s)

    def table(self) -> None:
        """What ``tmux-orc list`` shows now."""
        drawn = render(self.app.ask(AGENT_LIST, ListAgents()))
        self.say("$ tmux-orc list\n" + _indented(drawn))

    def wait(self, name: str, *states: AgentState) -> AgentView:
        """The agent once it is in one of `states`."""
        params = WaitAgent(target=f"{TEAM}/{name}", states=states, timeout_s=PATIENCE_S)
        return self.app.ask(AGENT_WAIT, params, timeout_s=PATIENCE_S + 5)

    def info(self, name: str) -> AgentView:
        """The agent now."""
        return self.app.ask(AGENT_INFO, Target(target=f"{TEAM}/{name}"))

    def send(self, target: str, text: str) -> tuple[int, float]:
        """Send and wait until every copy is submitted; returns how many, and how long it took in seconds."""
        began = time.monotonic()
        params = SendMessage(target=target, text=text, wait=Rung.SUBMITTED, timeout_s=PATIENCE_S)
        sent = self.app.ask(MESSAGE_SEND, params, timeout_s=PATIENCE_S + 5)
        return len(sent.messages), time.monotonic() - began

    def until(self, name: str, wanted: Callable[[EventView], bool], since: int) -> EventView:
        """The first event about the agent after `since` that is `wanted`, whether it is past or still to come."""

        def look(event: EventView) -> None:
            if wanted(event):
                raise Found(event)

        params = FollowEvents(since=since, subject=f"{TEAM}/{name}")
        try:
            with self.app.connect() as client:
                client.call(EVENT_FOLLOW, params, timeout_s=PATIENCE_S, on_item=look)
        except Found as found:
            return found.event
        raise TimedOutError("the supervisor ended the stream of events")

    def now(self) -> int:
        """The sequence number of the newest event."""
        return self.app.ask(EVENT_LIST, ListEvents(limit=1)).last_seq


class Found(Exception):
    """Leaves a stream at the event that was waited for."""

    def __init__(self, event: EventView) -> None:
        super().__init__(event.type)
        self.event = event


def team(show: Show) -> str:
    """Four agents start."""
    show.title("1. Four agents, each in a pane of its own, under one supervisor")
    show.app.ensure_running()
    began = time.monotonic()
    specs = tuple(
        AgentSpec(name=n, team=TEAM, kind="demo", cwd="/", path=show.app.search_path, restart=Restart.PERMANENT)
        for n in NAMES
    )
    with show.app.connect() as client:
        params = ApplyTeam(spec=TeamSpec(name=TEAM), agents=specs)
        client.call(TEAM_APPLY, params, timeout_s=PATIENCE_S, on_item=_drop)
    for name in NAMES:
        show.wait(name, AgentState.IDLE)
    took = time.monotonic() - began
    show.say(f"started and ready in {took:.1f} s")
    _how_to_look(show)
    show.table()
    return f"four agents started and ready in {took:.1f} s"


def _drop(_: PlanStep) -> None:
    """The table shows the result."""


def _how_to_look(show: Show) -> None:
    place = show.app.ask(SESSION_ATTACH, TeamName(team=TEAM))
    show.say("while this runs, look at it from another terminal:")
    show.say(f"  tmux -S {place.tmux_socket} attach -r -t '{place.session}'")


def messages(show: Show) -> str:
    """Everyone gets a message, one gets work."""
    show.title("2. They get messages, typed into their composers and checked there")
    show.say(f"$ tmux-orc send '{TEAM}/*' 'echo hello from the operator'")
    count, took = show.send(f"{TEAM}/*", "echo hello from the operator")
    show.say(f"{count} submitted in {took * 1000:.0f} ms")
    show.wait("coder", AgentState.IDLE)
    since = show.now()
    show.say("$ tmux-orc send coder 'work 1'")
    show.send(f"{TEAM}/coder", "work 1")
    show.until("coder", lambda e: e.type == "agent.state" and e.data["state"] == "busy", since)
    show.wait("coder", AgentState.IDLE)
    screen = show.app.ask(AGENT_SCREEN, ReadScreen(target=f"{TEAM}/coder"))
    seen = [line.rstrip() for line in screen.lines if line.strip()]
    show.say("$ tmux-orc screen coder\n" + _indented("\n".join(line[:72] for line in seen[-8:])))
    return f"{count} messages submitted in {took * 1000:.0f} ms"


def crash(show: Show) -> str:
    """One crashes and comes back."""
    show.title("3. One crashes, and comes back by itself")
    before, since = show.info("tester"), show.now()
    show.say("$ tmux-orc send tester 'crash 3'")
    show.send(f"{TEAM}/tester", "crash 3")
    ended = show.until("tester", lambda e: e.type == "agent.exited", since)
    back = show.until("tester", lambda e: e.type == "agent.started", ended.seq)
    gap_s = (back.at - ended.at).total_seconds()
    after = show.wait("tester", AgentState.IDLE)
    show.say(f"pid {before.pid} ended with status 3; {gap_s * 1000:.0f} ms later pid {after.pid} ran in the same pane")
    show.table()
    return f"a crashed agent was running again after {gap_s * 1000:.0f} ms"


def permission(show: Show) -> str:
    """One needs a permission and gets it."""
    show.title("4. One asks for a permission; a message waits rather than answer for you")
    show.say("$ tmux-orc send coder 'ask make release'")
    show.send(f"{TEAM}/coder", "ask make release")
    show.wait("coder", AgentState.BLOCKED)
    show.say("$ tmux-orc send coder 'echo and then this'")
    since = show.now()
    show.app.ask(MESSAGE_SEND, SendMessage(target=f"{TEAM}/coder", text="echo and then this"))
    show.until("coder", lambda e: e.data.get("rung") == "held", since)
    show.say("$ tmux-orc status\n" + _indented(render(show.app.ask(SYSTEM_STATUS, Empty()))))
    show.say("$ tmux-orc agent keys coder Enter")
    show.app.ask(AGENT_KEYS, SendKeys(target=f"{TEAM}/coder", keys=("Enter",)))
    show.until("coder", lambda e: e.data.get("rung") == "submitted", since)
    show.say("coder has its permission, and then the message")
    show.wait("coder", AgentState.IDLE)
    return "a permission was asked for and given, and a message waited for it"


def kill(show: Show) -> str:
    """The supervisor is killed and the next one adopts."""
    show.title("5. The supervisor is killed; the next one finds every agent where it was")
    before = _pids(show)
    victim = show.app.ask(DAEMON_STATUS, Empty()).pid
    show.say(f"$ kill -9 {victim}")
    trio.run(_kill_and_wait, victim)
    began = time.monotonic()
    show.app.ensure_running()
    for name in NAMES:
        show.wait(name, AgentState.IDLE)
    took = time.monotonic() - began
    after = _pids(show)
    if before != after:
        raise TmuxOrcError("the agents are not the ones there were", details={"before": before, "after": after})
    show.say(f"{took:.1f} s later the next one has all {len(after)} of them, the same processes as before")
    show.send(f"{TEAM}/lead", "echo still here")
    show.table()
    return f"the supervisor was killed; the next adopted all {len(after)} agents in {took:.1f} s"


def _pids(show: Show) -> dict[str, int | None]:
    return {agent.address: agent.pid for agent in show.app.ask(AGENT_LIST, ListAgents()).agents}


async def _kill_and_wait(victim: int) -> None:
    """Wait until the kernel has taken it away, too: until then its socket still takes connections."""
    async with open_process_watch(victim) as watch:
        os.kill(victim, signal.SIGKILL)
        with trio.fail_after(PATIENCE_S):
            await watch.wait_exit()


SCENES = (team, messages, crash, permission, kill)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))
