"""A two-lane mailbox for one reading task (S17–S19), and the answer to one call (S20).

Knows nothing of supervisors.  A message leaves its lane in the same step in which the reader gets it, never before a
checkpoint: a reader that is cancelled has lost nothing.
"""

import math
from collections import deque

import trio

from tmuxorc.actors._errors import CallTimeout


class Reply:
    """The answer to one call.  It is settled once; whatever comes later is dropped."""

    __slots__ = ("_error", "_task", "_unsettled", "_value", "settled")

    def __init__(self) -> None:
        self.settled = False
        self._unsettled: set[Reply] | None = None
        self._value: object = None
        self._error: BaseException | None = None
        self._task: trio.lowlevel.Task | None = None

    def send(self, value: object = None) -> None:
        """Answer with `value`."""
        if not self.settled:
            self._value = value
            self._settle()

    def fail(self, error: BaseException) -> None:
        """Let the caller's `call` raise `error`."""
        if not self.settled:
            self._error = error
            self._settle()

    def track(self, unsettled: "set[Reply]") -> None:
        """Be a member of `unsettled` until settled."""
        if not self.settled:
            self._unsettled = unsettled
            unsettled.add(self)

    def _close(self) -> None:
        self.settled = True
        if self._unsettled is not None:
            self._unsettled.discard(self)

    def _settle(self) -> None:
        self._close()
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)

    def _abort(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._close()
        return trio.lowlevel.Abort.SUCCEEDED

    async def wait(self, path: str, timeout_s: float) -> object:
        """The value sent; raises the error given, or `CallTimeout` naming `path`.  Only the caller waits, and once."""
        with trio.CancelScope(deadline=trio.current_time() + timeout_s) as scope:
            if self.settled:
                await trio.lowlevel.checkpoint()
            else:
                self._task = trio.lowlevel.current_task()
                await trio.lowlevel.wait_task_rescheduled(self._abort)
        if scope.cancelled_caught:
            raise CallTimeout(path, timeout_s)
        if self._error is not None:
            raise self._error
        return self._value

    def __repr__(self) -> str:
        return f"<Reply {'settled' if self.settled else 'open'}>"


class Envelope:
    """A message on its way, with the answer it asks for if it is a call."""

    __slots__ = ("message", "reply")

    def __init__(self, message: object, reply: Reply | None = None) -> None:
        self.message = message
        self.reply = reply

    def __repr__(self) -> str:
        return f"<Envelope {self.message!r}{' call' if self.reply is not None else ''}>"


class Tick:
    """What a reader gets once its mailbox's deadline has passed with nothing to read."""


class Mailbox:
    """Two lanes, first in first out each: control is unbounded and read first, user holds at most `capacity`.

    `deadline` (trio's clock) makes a waiting `receive` return a `Tick` once it has passed.
    """

    __slots__ = ("_blocked", "_control", "_reader", "_user", "capacity", "deadline", "handled")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.deadline = math.inf
        self.handled = 0
        self._control: deque[Envelope] = deque()
        self._user: deque[Envelope] = deque()
        self._blocked: deque[tuple[Envelope, trio.lowlevel.Task]] = deque()
        self._reader: trio.lowlevel.Task | None = None

    @property
    def control_waiting(self) -> int:
        """How many messages stand in the control lane."""
        return len(self._control)

    @property
    def user_waiting(self) -> int:
        """How many messages stand in the user lane."""
        return len(self._user)

    def put_control(self, envelope: Envelope) -> None:
        """Add to the lane that is never full."""
        self._control.append(envelope)
        self.wake()

    def put_user(self, envelope: Envelope) -> bool:
        """Add to the bounded lane; False if it is full."""
        if len(self._user) >= self.capacity:
            return False
        self._user.append(envelope)
        if self._reader is not None:
            self.wake()
        return True

    async def put_user_wait(self, envelope: Envelope) -> None:
        """Add to the bounded lane as soon as there is room; those who wait get in, in the order they came."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if self.put_user(envelope):
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        entry = (envelope, trio.lowlevel.current_task())
        self._blocked.append(entry)

        def abort(_raise_cancel: object) -> trio.lowlevel.Abort:
            self._blocked.remove(entry)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def wake(self) -> None:
        """Let a waiting `receive` return, with None if there is nothing to read."""
        if self._reader is not None:
            trio.lowlevel.reschedule(self._reader)
            self._reader = None

    async def receive(self) -> Envelope | None:
        """The next message, control first; None if woken with nothing to read."""
        if self._control or self._user:
            # Without this a reader that always finds mail would never let another task run.
            await trio.lowlevel.checkpoint()
        else:
            await self._park()
        return self._pop()

    async def _park(self) -> None:
        self._reader = trio.lowlevel.current_task()
        if self.deadline == math.inf:
            await trio.lowlevel.wait_task_rescheduled(self._abort)
        else:
            with trio.CancelScope(deadline=self.deadline):
                await trio.lowlevel.wait_task_rescheduled(self._abort)

    def _abort(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._reader = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _pop(self) -> Envelope | None:
        if self._control:
            self.handled += 1
            return self._control.popleft()
        if not self._user:
            return Envelope(Tick()) if trio.current_time() >= self.deadline else None
        self.handled += 1
        envelope = self._user.popleft()
        if self._blocked:
            self._admit()
        return envelope

    def _admit(self) -> None:
        envelope, task = self._blocked.popleft()
        self._user.append(envelope)
        trio.lowlevel.reschedule(task)

    def drain(self) -> list[Envelope]:
        """Take everything out, control first; senders that waited for room go on."""
        while self._blocked:
            self._admit()
        left = [*self._control, *self._user]
        self._control.clear()
        self._user.clear()
        return left

    def __repr__(self) -> str:
        lanes = f"control={len(self._control)} user={len(self._user)}/{self.capacity}"
        return f"<Mailbox {lanes} blocked={len(self._blocked)}>"
