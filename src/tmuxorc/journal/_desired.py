"""What the operator wants: teams and agents, and what is known of an agent's last run.  Plain SQL on a connection."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from tmuxorc.errors import NotFoundError
from tmuxorc.journal._codec import from_json, from_micros, to_json, to_micros
from tmuxorc.journal._errors import JournalNewerError
from tmuxorc.journal._records import AgentRecord, TeamRecord
from tmuxorc.model import AgentSpec, Desired, LastExit, TeamSpec

_TEAMS = "SELECT spec, desired, created_at FROM team"
_AGENTS = "SELECT spec, desired, created_at, pane, pid, generation, restarts, last_exit, session FROM agent"


def put_team(db: sqlite3.Connection, spec: TeamSpec, desired: Desired, at: datetime) -> TeamRecord:
    """Write what is wanted of the team; its date of creation stays if it is there already."""
    db.execute(
        "INSERT INTO team (name, spec, desired, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET spec = excluded.spec, desired = excluded.desired",
        (spec.name, to_json(spec), desired.value, to_micros(at)),
    )
    return _team(db.execute(f"{_TEAMS} WHERE name = ?", (spec.name,)).fetchone())


def remove_team(db: sqlite3.Connection, name: str) -> None:
    """Forget the team and its agents; its messages and events stay."""
    _require(db.execute("DELETE FROM team WHERE name = ?", (name,)), "team", name)
    db.execute("DELETE FROM agent WHERE team = ?", (name,))


def put_agent(db: sqlite3.Connection, spec: AgentSpec, desired: Desired, at: datetime) -> AgentRecord:
    """Write what is wanted of the agent; its date of creation and its run stay if it is there already."""
    db.execute(
        "INSERT INTO agent (team, name, spec, desired, created_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (team, name) DO UPDATE SET spec = excluded.spec, desired = excluded.desired",
        (spec.team, spec.name, to_json(spec), desired.value, to_micros(at)),
    )
    return _agent(db.execute(f"{_AGENTS} WHERE team = ? AND name = ?", (spec.team, spec.name)).fetchone())


def record_run(
    db: sqlite3.Connection,
    address: str,
    *,
    pane: str | None,
    pid: int | None,
    generation: int,
    restarts: int,
    last_exit: LastExit | None,
    session: str,
) -> None:
    """Write what is known of the agent's run; raises `NotFoundError`."""
    done = db.execute(
        "UPDATE agent SET pane = ?, pid = ?, generation = ?, restarts = ?, last_exit = ?, session = ?"
        " WHERE team = ? AND name = ?",
        (pane, pid, generation, restarts, _exit_json(last_exit), session, *_split(address)),
    )
    _require(done, "agent", address)


def set_desired(db: sqlite3.Connection, addresses: Iterable[str], desired: Desired) -> None:
    """Write what is wanted of agents (``team/name``) and teams (``team``); raises `NotFoundError`."""
    for address in addresses:
        if "/" in address:
            query = "UPDATE agent SET desired = ? WHERE team = ? AND name = ?"
            _require(db.execute(query, (desired.value, *_split(address))), "agent", address)
        else:
            query = "UPDATE team SET desired = ? WHERE name = ?"
            _require(db.execute(query, (desired.value, address)), "team", address)


def remove_agent(db: sqlite3.Connection, address: str) -> None:
    """Forget the agent; its messages and events stay.  Raises `NotFoundError`."""
    _require(db.execute("DELETE FROM agent WHERE team = ? AND name = ?", _split(address)), "agent", address)


def teams(db: sqlite3.Connection) -> tuple[TeamRecord, ...]:
    """All teams by name."""
    return tuple(_team(row) for row in db.execute(f"{_TEAMS} ORDER BY name"))


def agents(db: sqlite3.Connection) -> tuple[AgentRecord, ...]:
    """All agents by team, each team's in the order they were first written: the order in which they start (S4)."""
    return tuple(_agent(row) for row in db.execute(f"{_AGENTS} ORDER BY team, created_at, name"))


def _split(address: str) -> tuple[str, str]:
    team, _, name = address.partition("/")
    return team, name


def _require(done: sqlite3.Cursor, what: str, name: str) -> None:
    if done.rowcount == 0:
        raise NotFoundError(f"no {what} '{name}' in the journal", details={what: name})


def _exit_json(last_exit: LastExit | None) -> str | None:
    return None if last_exit is None else to_json(last_exit)


def _team(row: tuple[Any, ...]) -> TeamRecord:
    spec, desired, created_at = row
    return TeamRecord(spec=_decoded(spec, TeamSpec), desired=Desired(desired), created_at=from_micros(created_at))


def _agent(row: tuple[Any, ...]) -> AgentRecord:
    spec, desired, created_at, pane, pid, generation, restarts, last_exit, session = row
    return AgentRecord(
        spec=_decoded(spec, AgentSpec),
        desired=Desired(desired),
        created_at=from_micros(created_at),
        pane=pane,
        pid=pid,
        generation=generation,
        restarts=restarts,
        last_exit=None if last_exit is None else _decoded(last_exit, LastExit),
        session=session,
    )


def _decoded(text: str, type_: Any) -> Any:
    """A spec as it was written; one with a field unknown here was written by a newer program."""
    try:
        return from_json(text, type_)
    except msgspec.ValidationError as error:
        message = f"the journal holds a {type_.__name__} this program does not understand: {error}"
        raise JournalNewerError(
            message, hint="use the version of tmux-orc that wrote it", details={"spec": text}
        ) from error
