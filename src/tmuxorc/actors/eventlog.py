"""The one stream of events: folded into the roster at once, journaled in batches, then shown to followers.

`publish` is synchronous and never fails, so that any part can report from anywhere.  Followers get an event only after
it is in the journal: what was seen is durable, and its sequence number is never given to another event.
"""

import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
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
        self._dropped = 0
        self._published = self._offered = 0
        self._attempt = trio.Event()
        self._wake = trio.Event()
        self._waiting: dict[str, trio.Event] = {}
        self._followers: set[trio.MemorySendChannel[EventView]] = set()

    def publish(self, type: str, subject: str, generation: int = 0, **data: Any) -> EventDraft:
        """Fold the event into the roster, wake who waits for `subject`, and queue it for the journal."""
        draft = EventDraft(type=type, subject=subject, generation=generation, data=data, at=datetime.now(UTC))
        self.roster.apply(draft)
        self._unwritten.append(_to_be_kept(draft))
        self._published += 1
        self._drop_oldest()
        self._wake.set()
        waiting = self._waiting.pop(subject, None)
        if waiting is not None:
            waiting.set()
        return draft

    def poke(self, subject: str) -> None:
        """Have those who wait `until` something about `subject` look again, though nothing has happened."""
        if (waiting := self._waiting.pop(subject, None)) is not None:
            waiting.set()

    async def until(self, subject: str, check: Callable[[], T | None]) -> T:
        """The first result of `check` that is not None, asked now and after every event and `poke` about `subject`."""
        while (found := check()) is None:
            await self._waiting.setdefault(subject, trio.Event()).wait()
        return found

    async def flushed(self) -> None:
        """Return once everything published so far has been offered to the journal."""
        upto = self._published
        while self._offered < upto:
            await self._attempt.wait()

    async def run(self, journal: Journal) -> None:
        """Write what is published until cancelled."""
        while True:
            while self._unwritten:
                await self._write(journal)
            self._wake = trio.Event()
            await self._wake.wait()

    async def write_rest(self, journal: Journal) -> None:
        """Write what `run` was cancelled before writing; what the journal refuses is lost, and the log says so."""
        batch = self._take_batch()
        if batch:
            try:
                self._taken(await journal.append_events(batch))
            except JournalError as error:
                log.error("%d events were not journaled: %s", len(batch), error)

    async def _write(self, journal: Journal) -> None:
        batch, upto = self._take_batch(), self._published
        try:
            # Shielded: cancelled in the middle, it would not be known whether the batch was written.
            with trio.CancelScope(shield=True):
                self._taken(await _append(journal, batch))
        except JournalError as error:
            self._grudge.refused(error)
            self._unwritten.extendleft(reversed(batch))
            self._drop_oldest()
            self._tell_offered(upto)
            await trio.sleep(RETRY_S)
        else:
            self._tell_offered(upto)

    def _take_batch(self) -> Sequence[EventDraft]:
        batch, self._unwritten = self._unwritten, deque()
        return tuple(batch)

    def _tell_offered(self, upto: int) -> None:
        self._offered = upto
        self._attempt.set()
        self._attempt = trio.Event()

    def _taken(self, written: Sequence[EventView]) -> None:
        self._grudge.taken()
        if self._dropped:
            log.error("dropped %d events that the journal would not take", self._dropped)
            self._dropped = 0
        if written:
            self.last_seq = written[-1].seq
            self._show(written)

    def _drop_oldest(self) -> None:
        while len(self._unwritten) > MOST_UNWRITTEN:
            self._unwritten.popleft()
            self._dropped += 1

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
    async def follow(self) -> AsyncGenerator[trio.MemoryReceiveChannel[EventView], None]:
        """A channel of every event journaled from now on; it ends when the reader falls too far behind."""
        send, receive = trio.open_memory_channel[EventView](FOLLOWER_BUFFER)
        self._followers.add(send)
        try:
            with send, receive:
                yield receive
        finally:
            self._followers.discard(send)


async def _append(journal: Journal, batch: Sequence[EventDraft]) -> Sequence[EventView]:
    """What of `batch` could be journaled: data that is not JSON is a defect of whoever published it, of nobody else."""
    try:
        return await journal.append_events(batch)
    except TypeError:
        if len(batch) == 1:
            log.exception("an event was dropped: %s of %s", batch[0].type, batch[0].subject)
            return ()
    return [event for draft in batch for event in await _append(journal, (draft,))]


def _to_be_kept(draft: EventDraft) -> EventDraft:
    """`draft` without the values of an agent's variables: they may be keys, and events are shown to whoever follows."""
    spec: dict[str, Any] = draft.data.get("spec") or {}
    if not spec.get("env"):
        return draft
    masked = {**spec, "env": dict.fromkeys(spec["env"], "…")}
    return msgspec.structs.replace(draft, data={**draft.data, "spec": masked})
