"""The supervisor as its clients see it: requests over the real socket, and waits on its own events."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tests.support import Cli, Supervisor, TmuxServer, wait_gone
from tmuxorc.model import AgentSpec, AgentState, AgentView, EventView, MessageView, Restart, Rung, TeamSpec
from tmuxorc.paths import find_paths
from tmuxorc.wire import methods as m
from tmuxorc.wire.client import Client

T = TypeVar("T")
P = TypeVar("P")
R = TypeVar("R")

DEADLINE_S = 10.0
PYTHON = sys.executable
SLEEP = ("sleep", "1000")
IDLE, BUSY, EXITED, FAILED = AgentState.IDLE, AgentState.BUSY, AgentState.EXITED, AgentState.FAILED
BLOCKED = AgentState.BLOCKED


class _Found(Exception):
    pass


class Orc:
    """One instance; every request has a connection of its own, as commands do."""

    def __init__(self, supervisor: Supervisor, binary: str, instance: str = "default") -> None:
        self.supervisor = supervisor
        self.binary = binary
        self.paths = find_paths(instance)
        self.mark = 0

    # --- requests ---

    def call(self, method: m.Method[P, R], params: P, timeout_s: float = DEADLINE_S) -> R:
        with Client.connect(self.paths.socket, timeout_s=timeout_s) as client:
            return client.call(method, params)

    def all_at_once(self, calls: list[Callable[[], T]]) -> list[T | Exception]:
        """The outcome of each call, all made at the same moment."""
        gate = threading.Barrier(len(calls))

        def at_the_gate(call: Callable[[], T]) -> T | Exception:
            gate.wait(DEADLINE_S)
            try:
                return call()
            except Exception as error:  # noqa: BLE001
                return error

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(at_the_gate, calls))

    def spec(self, name: str, *command: str, **fields: Any) -> AgentSpec:
        fields.setdefault("kind", "command" if command else "demo")
        fields.setdefault("restart", Restart.TRANSIENT)
        return AgentSpec(name=name, command=command, path=os.environ["PATH"], **fields)

    def spawn(self, name: str, *command: str, wait: str | None = None, **fields: Any) -> AgentView:
        return self.call(m.AGENT_SPAWN, m.Spawn(spec=self.spec(name, *command, **fields), wait=wait))

    def info(self, target: str) -> AgentView:
        return self.call(m.AGENT_INFO, m.Target(target=target))

    def agents(self) -> dict[str, AgentView]:
        return {view.address: view for view in self.call(m.AGENT_LIST, m.ListAgents()).agents}

    def start(self, target: str) -> AgentView:
        return self.call(m.AGENT_START, m.Target(target=target))

    def stop(self, target: str, grace_s: float | None = None) -> AgentView:
        return self.call(m.AGENT_STOP, m.StopAgent(target=target, grace_s=grace_s))

    def restart(self, target: str) -> AgentView:
        return self.call(m.AGENT_RESTART, m.StopAgent(target=target))

    def remove(self, target: str) -> m.Done:
        return self.call(m.AGENT_REMOVE, m.StopAgent(target=target))

    def screen(self, target: str) -> str:
        return "\n".join(self.call(m.AGENT_SCREEN, m.ReadScreen(target=target)).lines)

    def keys(self, target: str, *keys: str) -> None:
        self.call(m.AGENT_KEYS, m.SendKeys(target=target, keys=keys))

    def send(self, target: str, text: str, wait: Rung | None = None) -> tuple[MessageView, ...]:
        params = m.SendMessage(target=target, text=text, wait=wait, timeout_s=DEADLINE_S)
        return self.call(m.MESSAGE_SEND, params).messages

    def message(self, id: str) -> MessageView:
        return self.call(m.MESSAGE_SHOW, m.MessageId(id=id))

    def create_team(self, name: str, **policy: Any) -> None:
        self.call(m.TEAM_CREATE, m.CreateTeam(spec=TeamSpec(name=name, **policy)))

    def team(self, name: str) -> m.TeamDetail:
        return self.call(m.TEAM_STATUS, m.TeamName(team=name))

    def apply(self, team: TeamSpec, *agents: AgentSpec, dry_run: bool = False) -> list[str]:
        """The plan, one ``action subject`` a step."""
        self.mark = self.seq
        plan = self.call(m.TEAM_APPLY, m.ApplyTeam(spec=team, agents=agents, dry_run=dry_run))
        assert plan.applied is not dry_run
        return [f"{step.action} {step.subject}" for step in plan.steps]

    # --- events ---

    @property
    def seq(self) -> int:
        """The number of the newest event: what comes later has a greater one."""
        return self.call(m.EVENT_LIST, m.ListEvents(limit=1)).last_seq

    def events(self, since: int = 0, subject: str | None = None) -> list[EventView]:
        return list(self.call(m.EVENT_LIST, m.ListEvents(since=since, limit=5000, subject=subject)).events)

    def await_event(
        self,
        type: str,
        subject: str,
        since: int = 0,
        where: Callable[[EventView], bool] = bool,
        timeout_s: float = DEADLINE_S,
    ) -> EventView:
        """The first such event after number `since`, which may have been already."""
        found: list[EventView] = []

        def look(event: EventView) -> None:
            if event.type == type and event.subject == subject and where(event):
                found.append(event)
                raise _Found

        with Client.connect(self.paths.socket, timeout_s=timeout_s) as client:
            try:
                client.call(m.EVENT_FOLLOW, m.FollowEvents(since=since), on_item=look)
            except _Found:
                pass
        return found[0]

    def await_rung(self, message: MessageView, rung: Rung) -> EventView:
        return self.await_event(
            "message.advanced",
            message.target,
            where=lambda event: event.data["id"] == message.id and event.data["rung"] == rung.value,
        )

    def await_state(self, target: str, *states: AgentState) -> AgentView:
        params = m.WaitAgent(target=target, states=states, timeout_s=DEADLINE_S)
        return self.call(m.AGENT_WAIT, params, DEADLINE_S + 1)

    def await_generation(self, address: str, generation: int) -> AgentView:
        self.await_event("agent.started", address, where=lambda event: event.generation == generation)
        return self.info(address)

    def await_adoption(self, address: str) -> AgentView:
        """The agent once it has been adopted after the last apply, kill of the supervisor or loss of a connection."""
        self.await_event("agent.started", address, self.mark, where=lambda event: event.data["adopted"])
        return self.info(address)

    # --- the world outside ---

    @property
    def tmux(self) -> TmuxServer:
        """The instance's own tmux server, as a person meets it."""
        return TmuxServer(self.binary, self.supervisor.status()["tmux_socket"])

    def kill_process(self, target: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Kill the agent's process and return the number of the newest event before that."""
        seq, pid = self.seq, self.info(target).pid
        assert pid is not None
        os.kill(pid, number)
        return seq

    def kill_supervisor(self) -> None:
        """``kill -9`` it and start the next one."""
        self.mark = self.seq
        self.supervisor.kill()
        self.supervisor.start()

    def lose_tmux_client(self) -> None:
        """Kill the supervisor's ``tmux -C`` and wait until it has another one."""
        self.mark = self.seq
        (client,) = self.tmux.run("list-clients", "-F", "#{client_pid}").split()
        os.kill(int(client), signal.SIGKILL)
        self.await_event("tmux.connected", "tmux", self.mark)


def alive(pid: int | None) -> bool:
    """Whether the process exists."""
    return pid is not None and not wait_gone(pid, 0)


def gone(pid: int | None) -> bool:
    """Whether the process ends in time."""
    return pid is not None and wait_gone(pid, DEADLINE_S)


def make_orc(cli: Cli, binary: str) -> Orc:
    """The default instance, with a supervisor."""
    supervisor = Supervisor(cli)
    supervisor.start()
    return Orc(supervisor, binary)
