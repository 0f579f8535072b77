"""The post office: every message that is not settled, by receiver, as the journal has it.

A rung is reported only after the journal has it.  Each agent's courier takes its messages from here; who has none
running keeps them waiting here, until they are delivered, expire or lose their receiver.
"""

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import trio

from tmuxorc.actors._whole import whole
from tmuxorc.actors.eventlog import EventLog
from tmuxorc.errors import ConflictError, JournalError, NotFoundError, RefusedError
from tmuxorc.journal import EventDraft, Journal, NewMessage
from tmuxorc.model import MessageView, Rung, Terms

log = logging.getLogger(__name__)


ADVANCED = "message.advanced"
PLAIN = Terms()


def _standing(message: MessageView) -> dict[str, Any]:
    return {"id": message.id, "rung": message.rung, "sender": message.sender, "detail": message.detail}


class MailboxFullError(RefusedError):
    """As many messages as are allowed wait for the agent."""

    code = "mailbox_full"


class Receiver(Protocol):
    """An agent's courier, as the post knows it."""

    def take_in(self, message: MessageView) -> None:
        """One more message for the agent."""
        ...

    def give_back(self, message_id: str) -> bool:
        """Whether the message could be taken out again: nothing of it has been typed."""
        ...


class Post:
    """See the module's text."""

    def __init__(self, events: EventLog, *, ttl_s: float, capacity: int) -> None:
        self._events = events
        self._capacity = capacity
        self._ttl = timedelta(seconds=ttl_s)
        self._boxes: dict[str, dict[str, MessageView]] = {}
        self._receivers: dict[str, Receiver] = {}
        self._arriving: Counter[str] = Counter()
        self._followed: dict[str, MessageView] = {}
        self._final: set[str] = set()
        self._something_waits = trio.Event()
        self._sooner = trio.Event()

    def restore(self, messages: Iterable[MessageView]) -> None:
        """Begin with what the journal has not settled."""
        for message in messages:
            self._keep(message)
            # The event itself was journaled in an earlier life.
            advanced = EventDraft(type=ADVANCED, subject=message.target, at=message.updated_at, data=_standing(message))
            self._events.roster.apply(advanced)

    def waiting(self, address: str) -> tuple[MessageView, ...]:
        """The unsettled messages of one agent, oldest first."""
        return tuple(self._boxes.get(address, {}).values())

    # --- from senders ---

    @whole
    async def accept(
        self, journal: Journal, sender: str, targets: Sequence[str], text: str, terms: Terms = PLAIN
    ) -> tuple[MessageView, ...]:
        """Journal one message for each receiver, all or none, and hand them over; one that was sent before is not new.

        Raises `MailboxFullError` if that would be one too many for any of them (S18).
        """
        for target in targets:
            self._require_room(target)
        self._arriving.update(targets)
        try:
            messages = await journal.accept(
                [NewMessage(sender=sender, target=target, text=text, terms=terms) for target in targets]
            )
        finally:
            self._arriving -= Counter(targets)
        for message in messages:
            if message.rung is Rung.ACCEPTED and message.id not in self._boxes.get(message.target, ()):
                self._take(message)
        await self._forget_removed(journal, targets)
        return messages

    async def _forget_removed(self, journal: Journal, targets: Iterable[str]) -> None:
        for target in targets:
            if target not in self._events.roster.agents:
                await self.forget(journal, target, "its agent was removed")

    def _require_room(self, address: str) -> None:
        if len(self._boxes.get(address, ())) + self._arriving[address] >= self._capacity:
            raise MailboxFullError(
                f"{self._capacity} messages wait for {address} already",
                hint=f"see why with: tmux-orc agent info {address}; the limit is agent.mailbox in the configuration",
                details={"address": address, "waiting": self._capacity},
            )

    @whole
    async def requeue(self, journal: Journal, message: MessageView) -> MessageView:
        """Deliver a settled message anew, on the operator's word."""
        again = await journal.advance(message.id, Rung.ACCEPTED, "redelivered on request")
        self._take(again)
        return again

    def _take(self, message: MessageView) -> None:
        self._keep(message)
        self._tell(message)
        receiver = self._receivers.get(message.target)
        if receiver is not None:
            receiver.take_in(message)

    def _keep(self, message: MessageView) -> None:
        self._boxes.setdefault(message.target, {})[message.id] = message
        self._something_waits.set()
        if message.terms.expires_at is not None:
            self._sooner.set()

    @contextmanager
    def following(self, messages: Iterable[MessageView]) -> Generator[Callable[[str], MessageView]]:
        """Within, the newest view of each of `messages` by its id, also once it is settled."""
        mine = {message.id: message for message in messages}
        self._followed.update(mine)
        try:
            yield self._followed.__getitem__
        finally:
            for id_ in mine:
                self._followed.pop(id_, None)
                self._final.discard(id_)

    def finish(self, message: MessageView) -> None:
        """The message will come no further by itself, whatever rungs there are above: whoever waits need not."""
        if message.id in self._followed:
            self._final.add(message.id)
            self._events.poke(message.target)

    def is_final(self, id_: str) -> bool:
        """Whether a message that is followed will come no further by itself."""
        return id_ in self._final

    # --- from couriers ---

    @contextmanager
    def receiving(self, address: str, receiver: Receiver) -> Generator[None]:
        """Within, `receiver` is told of new messages for `address`."""
        self._receivers[address] = receiver
        try:
            yield
        finally:
            if self._receivers.get(address) is receiver:
                del self._receivers[address]

    @whole
    async def advance(self, journal: Journal, id_: str, rung: Rung, evidence: str, detail: str = "") -> MessageView:
        """Journal the message's rung, then report it; a settled one is kept here no longer."""
        message = await journal.advance(id_, rung, evidence, detail)
        box = self._boxes.get(message.target, {})
        if rung.settled:
            box.pop(id_, None)
        elif id_ in box:
            box[id_] = message
            self._something_waits.set()
        self._tell(message)
        return message

    def _tell(self, message: MessageView) -> None:
        if message.id in self._followed:
            self._followed[message.id] = message
        self._events.publish(ADVANCED, message.target, **_standing(message))

    # --- the end of messages that never came ---

    async def forget(self, journal: Journal, address: str, why: str) -> None:
        """The receiver is no more: what waits for it becomes dead letters."""
        for message in self.waiting(address):
            await self.advance(journal, message.id, Rung.DEAD_LETTER, why, why)
        self._boxes.pop(address, None)

    async def expire(self, journal: Journal) -> None:
        """Settle messages that have waited too long, for ever; nothing is done before one is due."""
        while True:
            await self._something_waits.wait()
            now = datetime.now(UTC)
            due = min((self._due(m) for box in self._boxes.values() for m in box.values() if _ours(m)), default=None)
            if due is None:
                self._something_waits = trio.Event()
                continue
            with trio.move_on_after(max(1.0, (due - now).total_seconds())):
                self._sooner = trio.Event()
                await self._sooner.wait()
                continue
            await self._expire_due(journal, datetime.now(UTC))

    def _due(self, message: MessageView) -> datetime:
        """When it has waited too long."""
        own, since = message.terms.expires_at, _waits_since(message)
        # One that is delivered anew after its time is meant to be delivered all the same.
        return since + self._ttl if own is None or own <= since else own

    async def _expire_due(self, journal: Journal, now: datetime) -> None:
        late = [m for box in self._boxes.values() for m in box.values() if _ours(m) and self._due(m) <= now]
        for message in late:
            receiver = self._receivers.get(message.target)
            if receiver is None or receiver.give_back(message.id):
                await self._expire_one(journal, message, receiver)

    async def cancel(self, journal: Journal, id_: str, target: str) -> MessageView:
        """Take a message back that waits for `target`; raises `ConflictError` if it is on its way or over."""
        message, receiver = self._boxes.get(target, {}).get(id_), self._receivers.get(target)
        if message is None or not (receiver is None or receiver.give_back(id_)):
            hint = f"see how far it came with: tmux-orc message show {id_}"
            raise ConflictError(f"{id_} can no longer be taken back", hint=hint, details={"id": id_})
        return await self.advance(journal, id_, Rung.CANCELLED, "taken back on request")

    async def _expire_one(self, journal: Journal, message: MessageView, receiver: Receiver | None) -> None:
        waited = (datetime.now(UTC) - _waits_since(message)).total_seconds()
        why = f"waited {waited:.0f} s: {message.detail or 'its agent was not running'}"
        try:
            await self.advance(journal, message.id, Rung.EXPIRED, why, why)
        except NotFoundError:
            self._boxes.get(message.target, {}).pop(message.id, None)
        except JournalError as error:
            log.error("%s has not expired yet: %s", message.id, error)
            if receiver is not None:
                receiver.take_in(message)


def _ours(message: MessageView) -> bool:
    """Whether it is still here: one in the agent's own queue can no longer be kept from it."""
    return message.rung is not Rung.QUEUED


def _waits_since(message: MessageView) -> datetime:
    """When it was accepted, the last time: one that is redelivered waits anew."""
    return max((step.at for step in message.history if step.rung is Rung.ACCEPTED), default=message.created_at)
