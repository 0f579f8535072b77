"""The journal as the rest of the program sees it: asynchronous, durable, one method for each thing worth keeping."""

import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Concatenate, NoReturn, ParamSpec, TypeVar, cast

import trio

from tmuxorc.config import JournalSettings
from tmuxorc.journal import _desired, _events, _messages
from tmuxorc.journal._errors import JournalFullError
from tmuxorc.journal._records import AgentRecord, EventDraft, NewMessage, Snapshot, TeamRecord
from tmuxorc.journal._store import Store
from tmuxorc.journal._worker import Worker
from tmuxorc.model import AgentSpec, Desired, EventView, LastExit, MessageView, Rung, TeamSpec

CLOSE_TIMEOUT_S = 10.0
"""How long closing waits for the disk; what was not acknowledged by then is lost with the process."""

_FORGET_AT_LOAD = 500

P = ParamSpec("P")
T = TypeVar("T")


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Journal:
    """An open journal; made by `open_journal`.

    A write returns once it is committed as durably as the setting ``journal.synchronous`` says.  Writes asked for at
    the same time share one transaction.  Cancelling the wait for a write does not take it back.  Every method raises
    `JournalError` (with a code: ``journal_full``, ``journal_corrupt``…) when the disk fails; then nothing of that
    write was kept, and a later one works again once the cause is gone.
    """

    def __init__(self, worker: Worker, settings: JournalSettings, now: Callable[[], datetime]) -> None:
        self._worker = worker
        self._settings = settings
        self._now = now

    async def wait_lost(self) -> NoReturn:
        """Raise `JournalError` once the journal has failed by a defect of its own; it must then be opened anew."""
        await self._worker.wait_lost()

    async def load(self) -> Snapshot:
        """Everything a new supervisor needs to carry on."""
        with suppress(JournalFullError):
            await self._write(_messages.forget, self._now(), self._settings.keep_messages_days, _FORGET_AT_LOAD)
        return await self._read(_snapshot)

    async def put_team(self, spec: TeamSpec, desired: Desired = Desired.RUNNING) -> TeamRecord:
        """Write a team, new or changed; one that was there keeps its date of creation."""
        return await self._write(_desired.put_team, spec, desired, self._now())

    async def remove_team(self, name: str) -> None:
        """Forget a team and its agents, not their messages and events; raises `NotFoundError`."""
        await self._write(_desired.remove_team, name)

    async def put_agent(self, spec: AgentSpec, desired: Desired = Desired.RUNNING) -> AgentRecord:
        """Write an agent, new or changed; one that was there keeps its date of creation and its run."""
        return await self._write(_desired.put_agent, spec, desired, self._now())

    async def set_desired(self, addresses: Sequence[str], desired: Desired) -> None:
        """Write what is wanted of agents (``team/name``) and teams (``team``), all or none; raises `NotFoundError`."""
        await self._write(_desired.set_desired, addresses, desired)

    async def record_run(
        self,
        address: str,
        *,
        pane: str | None,
        pid: int | None,
        generation: int,
        restarts: int,
        last_exit: LastExit | None,
        session: str = "",
    ) -> None:
        """Write what is known of an agent's run, leaving its spec and desired state; raises `NotFoundError`."""
        await self._write(
            _desired.record_run,
            address,
            pane=pane,
            pid=pid,
            generation=generation,
            restarts=restarts,
            last_exit=last_exit,
            session=session,
        )

    async def remove_agent(self, address: str) -> None:
        """Forget an agent, not its messages and events; raises `NotFoundError`."""
        await self._write(_desired.remove_agent, address)

    async def accept(self, messages: Sequence[NewMessage]) -> tuple[MessageView, ...]:
        """Take `messages` in, all or none; the views are in their order and carry the ids."""
        return await self._write(_accept, tuple(messages), self._now(), self._settings.keep_messages_days)

    async def advance(self, id_: str, rung: Rung, evidence: str, detail: str = "") -> MessageView:
        """Move a message to `rung` because of `evidence`; raises `NotFoundError`."""
        return await self._write(_messages.advance, id_, rung=rung, evidence=evidence, detail=detail, at=self._now())

    async def message(self, id_: str) -> MessageView:
        """One message; raises `NotFoundError`."""
        return await self._read(_messages.message, id_)

    async def messages(
        self, *, target: str | None = None, rungs: Sequence[Rung] = (), limit: int = 100
    ) -> tuple[MessageView, ...]:
        """The newest `limit` messages, newest last; `target` is ``team/name`` or ``team/*``, no `rungs` means all.

        Where the texts have more than `LISTED_TEXT_BYTES` together each is cut, and says so at its end.
        """
        return await self._read(_messages.messages, target=target, rungs=tuple(rungs), limit=limit)

    async def message_counts(self) -> dict[str, int]:
        """How many messages stand on each rung; a rung without any is left out."""
        return await self._read(_messages.counts)

    async def append_events(self, drafts: Sequence[EventDraft]) -> tuple[EventView, ...]:
        """Number and keep `drafts`, all or none, in their order."""
        return await self._write(_events.append, tuple(drafts), self._settings.keep_events)

    async def events(
        self, *, since: int | None = None, limit: int = 200, subject: str | None = None
    ) -> tuple[EventView, ...]:
        """Oldest first: the first `limit` after number `since`, or the newest; `subject` may be ``team/*``."""
        return await self._read(_events.events, since=since, limit=limit, subject=subject)

    async def _write(
        self, operation: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return cast("T", await self._worker.do(_bound(operation, *args, **kwargs)))

    async def _read(
        self, operation: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return cast("T", await self._worker.do(_bound(operation, *args, **kwargs), reads=True))


@asynccontextmanager
async def open_journal(
    path: str, settings: JournalSettings | None = None, *, now: Callable[[], datetime] = utc_now
) -> AsyncGenerator[Journal, None]:
    """Open or create the journal at `path`, whose directory must exist; `now` tells the time entries are dated with.

    Leaving the block carries out what was asked for before, whatever was cancelled.  Raises `JournalError` with code
    ``journal_newer``, ``journal_corrupt``, ``journal_read_only``, ``journal_full`` or ``journal_busy``.
    """
    chosen = JournalSettings() if settings is None else settings
    worker = Worker(lambda: Store(path, chosen.synchronous))
    try:
        await worker.start()
        yield Journal(worker, chosen, now)
    finally:
        with trio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
            await worker.close()


def _bound(
    operation: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
) -> Callable[[sqlite3.Connection], T]:
    return lambda db: operation(db, *args, **kwargs)


def _accept(
    db: sqlite3.Connection, messages: Sequence[NewMessage], at: datetime, keep_days: float
) -> tuple[MessageView, ...]:
    views = _messages.accept(db, messages, at)
    _messages.forget(db, at, keep_days, len(messages))
    return views


def _snapshot(db: sqlite3.Connection) -> Snapshot:
    return Snapshot(
        teams=_desired.teams(db),
        agents=_desired.agents(db),
        messages=_messages.unsettled(db),
        last_seq=_events.last_seq(db),
    )
