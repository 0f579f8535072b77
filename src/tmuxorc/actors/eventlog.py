"""The one stream of events: folded into the roster at once, journaled in batches, then shown to followers.

`publish` is synchronous and never fails, so that any part can report from anywhere.  Followers get an event only after
it is in the journal: what was seen is durable, and its sequence number is never given to another event.
"""

import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import trio

from tmuxorc.actors._grudge import RETRY_S, Grudge
from tmuxorc.actors.roster import Roster
from tmuxorc.errors import JournalError
from tmuxorc.journal import EventDraft, Journal
from tmuxorc.model import EventView

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_UNWRITTEN = 10_000
"""Events kept in memory while the journal refuses them; beyond it the oldest are dropped, and the log says so."""

FOLLOWER_BUFFER = 2_000


class EventLog:
    """See the module's text; `run` is the task that writes."""

    def __init__(self, roster: Roster, grudge: Grudge) -> None:
        self.roster = roster
        self._grudge = grudge
        self.last_seq = 0
        self._unwritten: deque[EventDraft] = deque()
        self._wake = trio.Event()
        self._idle = trio.Event()
        self._idle.set()
        self._waiting: dict[str, trio.Event] = {}
        self._followers: set[trio.MemorySendChannel[EventView]] = set()

    def publish(self, type: str, subject: str, generation: int = 0, **data: Any) -> EventDraft:
        """Fold the event into the roster, wake who waits for `subject`, and queue it for the journal."""
        draft = EventDraft(type=type, subject=subject, generation=generation, data=data, at=datetime.now(UTC))
        self.roster.apply(draft)
        self._unwritten.append(draft)
        self._wake.set()
        if self._idle.is_set():
            self._idle = trio.Event()
        waiting = self._waiting.pop(subject, None)
        if waiting is not None:
            waiting.set()
        return draft

    async def until(self, subject: str, check: Callable[[], T | None]) -> T:
        """The first result of `check` that is not None, asked now and after every event about `subject`."""
        while (found := check()) is None:
            await self._waiting.setdefault(subject, trio.Event()).wait()
        return found

    async def flushed(self) -> None:
        """Return once everything published so far has been offered to the journal."""
        await self._idle.wait()

    async def run(self, journal: Journal) -> None:
        """Write what is published until cancelled."""
        while True:
            while self._unwritten:
                await self._write(journal)
            self._idle.set()
            self._wake = trio.Event()
            await self._wake.wait()

    async def write_rest(self, journal: Journal) -> None:
        """Write what `run` was cancelled before writing; what the journal refuses is lost, and the log says so."""
        batch = list(self._unwritten)
        if batch:
            try:
                written = await journal.append_events(batch)
                self._taken(batch, written)
            except JournalError as error:
                log.error("%d events were not journaled: %s", len(batch), error)

    async def _write(self, journal: Journal) -> None:
        batch = list(self._unwritten)
        try:
            # Shielded: cancelled in the middle, it would not be known whether the batch was written.
            with trio.CancelScope(shield=True):
                written = await journal.append_events(batch)
        except JournalError as error:
            self._grudge.refused(error)
            self._drop_oldest()
            self._idle.set()
            await trio.sleep(RETRY_S)
            return
        except TypeError:
            # Data that is not JSON is a defect of whoever published it; it must not stop all that comes after.
            log.exception("events dropped: %r", batch)
            written = ()
        self._taken(batch, written)

    def _taken(self, batch: Sequence[EventDraft], written: Sequence[EventView]) -> None:
        """`batch` is settled; more may have been published behind it meanwhile."""
        self._grudge.taken()
        for _ in batch:
            self._unwritten.popleft()
        if written:
            self.last_seq = written[-1].seq
            self._show(written)

    def _drop_oldest(self) -> None:
        excess = len(self._unwritten) - MOST_UNWRITTEN
        if excess > 0:
            log.error("dropped %d events that the journal would not take", excess)
            for _ in range(excess):
                self._unwritten.popleft()

    def _show(self, events: Sequence[EventView]) -> None:
        for follower in list(self._followers):
            try:
                for event in events:
                    follower.send_nowait(event)
            except trio.WouldBlock:
                # It reads the gap from the journal: `FollowEvents` goes on from the last sequence number it sent.
                self._followers.discard(follower)
                follower.close()
            except trio.BrokenResourceError:
                self._followers.discard(follower)

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[trio.MemoryReceiveChannel[EventView]]:
        """A channel of every event journaled from now on; it ends when the reader falls too far behind."""
        send, receive = trio.open_memory_channel[EventView](FOLLOWER_BUFFER)
        self._followers.add(send)
        try:
            with send, receive:
                yield receive
        finally:
            self._followers.discard(send)
