"""What is known of every team and agent, folded from the event stream.

The roster is a projection: nothing writes to it but `Roster.apply`, so `list` can answer from it at once and can never
say anything that the events do not.  It knows nothing of tmux, of the journal or of time.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec

from tmuxorc.errors import ConflictError, NotFoundError
from tmuxorc.journal import AgentRecord, EventDraft, TeamRecord
from tmuxorc.model import (
    AgentSpec,
    AgentState,
    AgentView,
    Attention,
    Desired,
    LastExit,
    Prompt,
    Restart,
    Rung,
    TeamSpec,
    TeamView,
)
from tmuxorc.names import nearest

NEEDS_A_PERSON = (AgentState.BLOCKED, AgentState.FAILED, AgentState.LIMITED)


class AgentRow:
    """One agent's line; the fields are those of `AgentView`.

    `ran`: a process of it was last seen running and nobody has seen it end.  `over`: it has ended for good, until a
    person starts it (S2, S10).
    """

    def __init__(self, spec: AgentSpec, desired: Desired, created_at: datetime) -> None:
        self.spec = spec
        self.desired = desired
        self.created_at = created_at
        self.state = AgentState.EXITED if desired is Desired.STOPPED else AgentState.STARTING
        self.state_since = created_at
        self.detail = ""
        self.generation = 0
        self.restarts = 0
        self.restart_at: datetime | None = None
        self.last_exit: LastExit | None = None
        self.pane: str | None = None
        self.window: str | None = None
        self.pid: int | None = None
        self.session = ""
        self.prompt: Prompt | None = None
        self.channel = ""
        self.ran = False
        self.over = False
        self.adopted = False
        self.waiting: set[str] = set()
        self.hold = ""

    def view(self, desired: Desired) -> AgentView:
        """A frozen picture of this moment; `desired` takes its team's will into account."""
        spec = self.spec
        return AgentView(
            name=spec.name,
            team=spec.team,
            address=spec.address,
            kind=spec.kind,
            role=spec.role,
            state=self.state,
            state_since=self.state_since,
            detail=self.detail or self.hold,
            desired=desired,
            generation=self.generation,
            restarts=self.restarts,
            restart=spec.restart,
            restart_at=self.restart_at,
            last_exit=self.last_exit,
            pane=self.pane,
            window=self.window,
            pid=self.pid,
            cwd=spec.cwd,
            command=spec.command,
            brief=spec.brief,
            adopted=self.adopted,
            created_at=self.created_at,
            messages_waiting=len(self.waiting),
            session=self.session,
            prompt=self.prompt,
            channel=self.channel,
        )


class TeamRow:
    """One team's line; `up` while its supervisor takes orders."""

    def __init__(self, spec: TeamSpec, desired: Desired, created_at: datetime) -> None:
        self.spec = spec
        self.desired = desired
        self.created_at = created_at
        self.session: str | None = None
        self.up = False


class Roster:
    """Teams and agents by name and address."""

    def __init__(self) -> None:
        self.teams: dict[str, TeamRow] = {}
        self.agents: dict[str, AgentRow] = {}

    def restore(self, teams: Iterable[TeamRecord], agents: Iterable[AgentRecord]) -> None:
        """Begin with what the journal remembers; no process is known yet."""
        for team in teams:
            self.teams[team.spec.name] = TeamRow(team.spec, team.desired, team.created_at)
        for agent in agents:
            row = AgentRow(agent.spec, agent.desired, agent.created_at)
            row.generation, row.restarts, row.last_exit = agent.generation, agent.restarts, agent.last_exit
            row.session = agent.session
            row.ran = agent.pid is not None
            self.agents[agent.spec.address] = row
            self._restore_end(row)

    def _restore_end(self, row: AgentRow) -> None:
        last = row.last_exit
        if last is not None and not row.ran:
            row.over = self.ends_for_good(row, last)
            row.detail = last.message
        if row.over or self.agent_view(row).desired is Desired.STOPPED:
            row.state = AgentState.EXITED if last is None else _state_after(row, last)
            row.state_since = row.created_at if last is None else last.at

    def apply(self, event: EventDraft) -> None:
        """Fold one event in; an event of a type that concerns no row changes nothing."""
        fold = _FOLDS.get(event.type)
        if fold is not None:
            fold(self, event)

    # --- questions ---

    def agent(self, address: str) -> AgentRow:
        """The row of `address`; raises `NotFoundError`."""
        row = self.agents.get(address)
        if row is None:
            raise _no_such_agent(address, self.agents)
        return row

    def resolve(self, target: str) -> AgentRow:
        """The agent meant by ``team/name`` or by a bare name while it is the only one.

        Raises `NotFoundError`, or `ConflictError` (``ambiguous``) with the addresses that share the name.
        """
        if "/" in target:
            return self.agent(target)
        found = [row for row in self.agents.values() if row.spec.name == target]
        if len(found) == 1:
            return found[0]
        if not found:
            raise _no_such_agent(target, self.agents)
        addresses = sorted(row.spec.address for row in found)
        error = ConflictError(
            f"{target!r} is ambiguous: {', '.join(addresses)}",
            hint="give the address as TEAM/NAME",
            details={"addresses": addresses},
        )
        error.code = "ambiguous"
        raise error

    def agent_view(self, row: AgentRow) -> AgentView:
        """`row` as shown: an agent of a stopped team is itself to be stopped."""
        team = self.teams.get(row.spec.team)
        stopped = team is not None and team.desired is Desired.STOPPED
        return row.view(Desired.STOPPED if stopped else row.desired)

    def team(self, name: str) -> TeamRow:
        """The row of team `name`; raises `NotFoundError`."""
        row = self.teams.get(name)
        if row is not None:
            return row
        near = nearest(name, self.teams)
        hint = f"did you mean {near}?" if near else f"make it with: tmux-orc team create {name}"
        raise NotFoundError(f"there is no team {name!r}", hint=hint, details={"team": name})

    def members(self, team: str) -> list[AgentRow]:
        """The agents of `team` in the order they were defined."""
        return [row for row in self.agents.values() if row.spec.team == team]

    def team_view(self, name: str) -> TeamView:
        """Team `name` as shown; raises `NotFoundError`."""
        row = self.team(name)
        members = self.members(name)
        spec = row.spec
        return TeamView(
            name=name,
            strategy=spec.strategy,
            intensity=spec.intensity,
            period_s=spec.period_s,
            auto_shutdown=spec.auto_shutdown,
            desired=row.desired,
            session=row.session,
            agents=tuple(member.spec.address for member in members),
            states=count_states(members),
            created_at=row.created_at,
        )

    def ends_for_good(self, row: AgentRow, last: LastExit) -> bool:
        """Whether the agent stays down after this exit; one that was stopped with its team comes back with it (S2)."""
        if row.spec.restart is Restart.TEMPORARY:
            team = self.teams.get(row.spec.team)
            return last.reason != "stopped" or team is None or team.desired is Desired.RUNNING
        return row.spec.restart is Restart.TRANSIENT and last.reason == "finished"

    def attention(self) -> tuple[Attention, ...]:
        """What needs a person, oldest first."""
        rows = [row for row in self.agents.values() if row.state in NEEDS_A_PERSON and row.restart_at is None]
        rows.sort(key=lambda row: row.state_since)
        return tuple(
            Attention(address=row.spec.address, state=row.state, since=row.state_since, detail=row.detail)
            for row in rows
        )


def count_states(rows: Iterable[AgentRow]) -> dict[str, int]:
    """How many rows are in each state; states that no row is in are left out."""
    counts: dict[str, int] = {}
    for state in AgentState:
        n = sum(1 for row in rows if row.state is state)
        if n:
            counts[state.value] = n
    return counts


def _no_such_agent(target: str, known: Iterable[str]) -> NotFoundError:
    names = list(known)
    near = nearest(target, [*names, *(address.partition("/")[2] for address in names)])
    hint = f"did you mean {near}?" if near else "see what there is with: tmux-orc list"
    return NotFoundError(f"there is no agent {target!r}", hint=hint, details={"target": target})


# --- the folds ------------------------------------------------------------------------------------------------------


def _team_defined(roster: Roster, event: EventDraft) -> None:
    spec = msgspec.convert(event.data["spec"], TeamSpec)
    known = roster.teams.get(spec.name)
    if known is not None:
        known.spec = spec
    else:
        roster.teams[spec.name] = TeamRow(spec, Desired.RUNNING, event.data.get("created_at", event.at))


def _team_removed(roster: Roster, event: EventDraft) -> None:
    roster.teams.pop(event.subject, None)


def _team_desired(roster: Roster, event: EventDraft) -> None:
    team = roster.teams[event.subject]
    desired = Desired(event.data["desired"])
    if desired is Desired.RUNNING and team.desired is Desired.STOPPED:
        for row in roster.members(event.subject):
            row.over = False
    team.desired = desired


def _team_up(roster: Roster, event: EventDraft) -> None:
    if event.subject in roster.teams:
        roster.teams[event.subject].up = event.type == "team.started"


def _team_session(roster: Roster, event: EventDraft) -> None:
    roster.teams[event.subject].session = event.data["session"]


def _agent_defined(roster: Roster, event: EventDraft) -> None:
    spec = msgspec.convert(event.data["spec"], AgentSpec)
    known = roster.agents.get(spec.address)
    if known is not None:
        known.spec = spec
    else:
        roster.agents[spec.address] = AgentRow(spec, Desired.RUNNING, event.data.get("created_at", event.at))


def _agent_removed(roster: Roster, event: EventDraft) -> None:
    roster.agents.pop(event.subject, None)


def _agent_desired(row: AgentRow, event: EventDraft) -> None:
    row.desired = Desired(event.data["desired"])


def _agent_started(row: AgentRow, event: EventDraft) -> None:
    data = event.data
    if not data["adopted"] and row.generation and event.generation > row.generation:
        row.restarts += 1
    row.generation = event.generation
    row.pane, row.window, row.pid = data["pane"], data["window"], data["pid"]
    row.adopted = data["adopted"]
    row.restart_at = None
    row.ran = row.over = False
    row.prompt = None
    row.channel = ""
    _set_state(row, AgentState.STARTING, "", event.at)


def _agent_state(row: AgentRow, event: EventDraft) -> None:
    since = event.data.get("since")
    at = event.at if since is None else datetime.fromisoformat(since)
    _set_state(row, AgentState(event.data["state"]), event.data.get("detail", ""), at)


def _agent_session(row: AgentRow, event: EventDraft) -> None:
    row.session = event.data["session"]


def _agent_prompt(row: AgentRow, event: EventDraft) -> None:
    given = event.data["prompt"]
    row.prompt = None if given is None else msgspec.convert(given, Prompt)


def _agent_channel(row: AgentRow, event: EventDraft) -> None:
    data = event.data
    row.channel = f"{data['name']}: {data['why']}" if data["why"] else data["name"]


def _agent_exited(roster: Roster, event: EventDraft) -> None:
    row = roster.agents.get(event.subject)
    if row is None:
        return
    last = row.last_exit = msgspec.convert({**event.data, "at": event.at}, LastExit)
    row.pid = row.prompt = None
    row.ran = False
    row.over = roster.ends_for_good(row, last)
    _set_state(row, _state_after(row, last), last.message, event.at)


def _state_after(row: AgentRow, last: LastExit) -> AgentState:
    calm = last.reason in ("finished", "stopped") or row.desired is Desired.STOPPED
    return AgentState.EXITED if calm else AgentState.FAILED


def _agent_pane_closed(row: AgentRow, _: EventDraft) -> None:
    row.pane = row.window = None


def _agent_pane_found(row: AgentRow, event: EventDraft) -> None:
    row.pane, row.window = event.data["pane"], event.data["window"]


def _agent_failed_to_start(row: AgentRow, event: EventDraft) -> None:
    row.pid = None
    row.over = row.spec.restart is Restart.TEMPORARY
    _set_state(row, AgentState.FAILED, event.data.get("error", ""), event.at)


def _agent_restart_scheduled(row: AgentRow, event: EventDraft) -> None:
    row.restart_at = event.at + timedelta(seconds=event.data["delay_s"])


def _agent_quarantined(row: AgentRow, event: EventDraft) -> None:
    row.restart_at = None
    row.over = True
    name = row.spec.address
    row.detail = f"quarantined: {event.data.get('reason', 'keeps failing')}; start it again with: agent start {name}"


def _agent_stopped(row: AgentRow, event: EventDraft) -> None:
    row.restart_at = None
    row.pid = None
    _set_state(row, AgentState.EXITED, event.data.get("detail", "stopped"), event.at)


def _message(roster: Roster, event: EventDraft) -> None:
    row = roster.agents.get(event.subject)
    if row is None:
        return
    rung, message = Rung(event.data["rung"]), event.data["id"]
    if rung.settled:
        row.waiting.discard(message)
    else:
        row.waiting.add(message)
    row.hold = f"message {message} held: {event.data['detail']}" if rung is Rung.HELD else ""


def _set_state(row: AgentRow, state: AgentState, detail: str, at: datetime) -> None:
    if row.state is not state:
        row.state_since = at
    row.state, row.detail = state, detail


def _of_agent(fold: Callable[[AgentRow, EventDraft], None]) -> Callable[[Roster, EventDraft], None]:
    def with_row(roster: Roster, event: EventDraft) -> None:
        row = roster.agents.get(event.subject)
        if row is not None:
            fold(row, event)

    return with_row


_FOLDS: dict[str, Callable[[Roster, EventDraft], None]] = {
    "team.defined": _team_defined,
    "team.removed": _team_removed,
    "team.desired": _team_desired,
    "team.session": _team_session,
    "team.started": _team_up,
    "team.exited": _team_up,
    "agent.defined": _agent_defined,
    "agent.removed": _agent_removed,
    "agent.desired": _of_agent(_agent_desired),
    "agent.started": _of_agent(_agent_started),
    "agent.state": _of_agent(_agent_state),
    "agent.session": _of_agent(_agent_session),
    "agent.prompt": _of_agent(_agent_prompt),
    "agent.channel": _of_agent(_agent_channel),
    "agent.exited": _agent_exited,
    "agent.pane_closed": _of_agent(_agent_pane_closed),
    "agent.pane_found": _of_agent(_agent_pane_found),
    "agent.start_failed": _of_agent(_agent_failed_to_start),
    "agent.restart_scheduled": _of_agent(_agent_restart_scheduled),
    "agent.quarantined": _of_agent(_agent_quarantined),
    "agent.stopped": _of_agent(_agent_stopped),
    "message.advanced": _message,
}
