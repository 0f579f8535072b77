"""The one thread that owns the store, and the way to it from trio.

Whatever was asked for while a transaction was being written goes into the next one together, so that hundreds of
writers share each wait for the disk.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

import trio

from tmuxorc.errors import JournalError
from tmuxorc.journal._store import Operation, Outcome, Store

MAX_BATCH = 1000
"""Operations in one transaction at most: the first of them should not wait for a crowd behind it."""


class Request:
    """One operation on its way to the thread and back; `done` is set in trio once `outcome` stands."""

    __slots__ = ("done", "operation", "outcome", "reads")

    def __init__(self, operation: Operation, *, reads: bool) -> None:
        self.operation = operation
        self.reads = reads
        self.outcome = Outcome()
        self.done = trio.Event()


class Worker:
    """Start the thread, give it requests, close it.  Every request made before `close` is carried out."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._token = trio.lowlevel.current_trio_token()
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._opened = Request(_nothing, reads=True)
        self._ended = trio.Event()
        self._closing = False
        self._pending: set[Request] = set()
        self._defect: Exception | None = None
        self._lost = trio.Event()
        # A daemon: should the disk hang for good, the process can still end.
        self._thread = threading.Thread(target=self._run, name="tmuxorc-journal", daemon=True)

    async def start(self) -> None:
        """Open the store; raises its error."""
        self._thread.start()
        await self._opened.done.wait()
        if self._opened.outcome.error is not None:
            raise self._opened.outcome.error

    async def do(self, operation: Operation, *, reads: bool = False) -> Any:
        """Have `operation` run, and return its value once it is committed; raises its error.

        A cancelled wait does not take the operation back.
        """
        if self._defect is not None:
            raise _lost(self._defect)
        if self._closing:
            raise JournalError("the journal is closed")
        request = Request(operation, reads=reads)
        self._requests.put(request)
        self._pending.add(request)
        try:
            await request.done.wait()
        finally:
            self._pending.discard(request)
        if request.outcome.error is not None:
            raise request.outcome.error
        return request.outcome.value

    async def wait_lost(self) -> NoReturn:
        """Raise once the thread has ended by a defect; everything asked of it since fails, too."""
        await self._lost.wait()
        assert self._defect is not None
        raise _lost(self._defect)

    async def close(self) -> None:
        """Carry out what was asked for, close the store, end the thread."""
        if not self._closing:
            self._closing = True
            self._requests.put(None)
        await self._ended.wait()
        self._thread.join()

    def _run(self) -> None:
        try:
            store = self._open_store()
        except Exception as error:  # noqa: BLE001 - raised again by `start`
            self._opened.outcome = Outcome(error=error)
        else:
            self._tell(self._opened.done.set)
            self._serve(store)
        self._tell(self._opened.done.set)
        self._tell(self._ended.set)

    def _serve(self, store: Store) -> None:
        try:
            self._carry_out_all(store)
        except Exception as error:  # noqa: BLE001 - a defect, but nobody may wait for ever because of it
            self._tell(partial(self._fail, error))
        finally:
            store.close()

    def _carry_out_all(self, store: Store) -> None:
        more = True
        while more:
            batch, more = self._next_batch()
            _carry_out(store, batch)
            self._tell(partial(_settle, batch))

    def _fail(self, error: Exception) -> None:
        self._defect = error
        for request in self._pending:
            if not request.done.is_set():
                request.outcome = Outcome(error=_lost(error))
                request.done.set()
        self._lost.set()

    def _next_batch(self) -> tuple[list[Request], bool]:
        """Wait for a request, take all that have gathered behind it; False once the last one is taken."""
        batch: list[Request] = []
        with contextlib.suppress(queue.Empty):
            while len(batch) < MAX_BATCH:
                request = self._requests.get(block=not batch)
                if request is None:
                    return batch, False
                batch.append(request)
        return batch, True

    def _tell(self, action: Callable[[], object]) -> None:
        # Nobody is left to be told when trio has ended without waiting for us.
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(action)


def _carry_out(store: Store, batch: Sequence[Request]) -> None:
    """Commit the writes of the batch in one transaction, then read: what is read has been committed."""
    writes = [request for request in batch if not request.reads]
    if writes:
        outcomes = store.commit([request.operation for request in writes])
        for request, outcome in zip(writes, outcomes, strict=True):
            request.outcome = outcome
    for request in batch:
        if request.reads:
            request.outcome = store.read(request.operation)


def _nothing(_: object) -> None:
    """Open."""


def _lost(defect: Exception) -> JournalError:
    error = JournalError(
        f"the journal's thread ended by a defect: {defect!r}; what was being written may be in the journal or not",
        hint="please report it with the traceback in: tmux-orc daemon logs",
    )
    error.__cause__ = defect
    return error


def _settle(batch: Sequence[Request]) -> None:
    for request in batch:
        request.done.set()
