"""Many writers share transactions; none sees what another did wrong."""

import sqlite3
import threading
from collections.abc import Callable, Sequence

import pytest
import trio

from tmuxorc.config import JournalSettings
from tmuxorc.errors import JournalError, NotFoundError
from tmuxorc.journal import Journal, NewMessage, open_journal
from tmuxorc.journal._journal import utc_now
from tmuxorc.journal._store import Operation, Outcome, Store
from tmuxorc.journal._worker import MAX_BATCH, Worker

MESSAGE = NewMessage(sender="operator", target="main/alice", text="hello")
LIMIT_S = 20.0


class CountingStore(Store):
    """Remembers how many operations each transaction had."""

    def __init__(self, path: str, sizes: list[int]) -> None:
        super().__init__(path)
        self.sizes = sizes

    def commit(self, operations: Sequence[Operation]) -> list[Outcome]:
        self.sizes.append(len(operations))
        return super().commit(operations)


class FaultyStore(Store):
    """Has a defect that shows when several write at once."""

    def commit(self, operations: Sequence[Operation]) -> list[Outcome]:
        if len(operations) > 1:
            raise RuntimeError("unforeseen")
        return super().commit(operations)


class Gate:
    """An operation that holds the thread until it is opened."""

    def __init__(self) -> None:
        self.reached = trio.Event()
        self._open = threading.Event()
        self._token = trio.lowlevel.current_trio_token()

    def __call__(self, db: sqlite3.Connection) -> None:
        self._token.run_sync_soon(self.reached.set)
        assert self._open.wait(LIMIT_S)

    def open(self) -> None:
        self._open.set()


async def holding(worker: Worker, nursery: trio.Nursery) -> Gate:
    gate = Gate()
    nursery.start_soon(worker.do, gate)
    with trio.fail_after(LIMIT_S):
        await gate.reached.wait()
    return gate


async def with_journal(path: str, sizes: list[int], use: Callable[[Worker, Journal], object]) -> None:
    worker = Worker(lambda: CountingStore(path, sizes))
    await worker.start()
    try:
        await use(worker, Journal(worker, JournalSettings(), utc_now))  # type: ignore[misc]
    finally:
        with trio.move_on_after(LIMIT_S, shield=True):
            await worker.close()


async def test_writers_that_waited_together_are_committed_together(path: str):
    sizes: list[int] = []
    ids: list[str] = []

    async def write(journal: Journal) -> None:
        ids.extend(message.id for message in await journal.accept((MESSAGE,)))

    async def use(worker: Worker, journal: Journal) -> None:
        async with trio.open_nursery() as nursery:
            gate = await holding(worker, nursery)
            for _ in range(300):
                nursery.start_soon(write, journal)
            await trio.testing.wait_all_tasks_blocked()
            gate.open()

    await with_journal(path, sizes, use)
    assert sizes == [1, 300]
    assert sorted(ids, key=lambda id_: int(id_[2:])) == [f"m-{number}" for number in range(1, 301)]


async def test_a_crowd_is_committed_in_parts(path: str):
    sizes: list[int] = []

    async def use(worker: Worker, journal: Journal) -> None:
        async with trio.open_nursery() as nursery:
            gate = await holding(worker, nursery)
            for _ in range(MAX_BATCH + 5):
                nursery.start_soon(journal.accept, (MESSAGE,))
            await trio.testing.wait_all_tasks_blocked()
            gate.open()

    await with_journal(path, sizes, use)
    assert sizes == [1, MAX_BATCH, 5]


async def test_one_that_fails_leaves_no_trace_and_harms_no_other(path: str):
    failures: list[Exception] = []

    def half_done(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM message")
        raise ValueError("a defect")

    async def fail(worker: Worker, operation: Operation, error: type[Exception]) -> None:
        with pytest.raises(error) as caught:
            await worker.do(operation)
        failures.append(caught.value)

    def duplicate(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM body")
        db.execute("INSERT INTO team SELECT 'x', '', '', 0 UNION ALL SELECT 'x', '', '', 0")

    async def use(worker: Worker, journal: Journal) -> None:
        await journal.accept((MESSAGE,))
        async with trio.open_nursery() as nursery:
            gate = await holding(worker, nursery)
            nursery.start_soon(journal.accept, (MESSAGE,))
            nursery.start_soon(fail, worker, half_done, ValueError)
            nursery.start_soon(fail, worker, duplicate, sqlite3.IntegrityError)
            nursery.start_soon(journal.accept, (MESSAGE,))
            await trio.testing.wait_all_tasks_blocked()
            gate.open()
        assert [message.text for message in await journal.messages()] == ["hello"] * 3

    await with_journal(path, [], use)
    assert len(failures) == 2


async def test_what_is_read_has_been_committed(path: str):
    """A read in one go with a write that then cannot be committed never shows that write."""
    seen: list[int] = []

    async def count(journal: Journal) -> None:
        seen.append(len(await journal.messages()))

    async def fail(worker: Worker) -> None:
        with pytest.raises(JournalError):
            await worker.do(lambda db: db.execute("SELECT * FROM missing"))

    async def add(journal: Journal) -> None:
        with pytest.raises(JournalError):
            await journal.accept((MESSAGE,))

    async def use(worker: Worker, journal: Journal) -> None:
        async with trio.open_nursery() as nursery:
            gate = await holding(worker, nursery)
            for task in (count, add):
                nursery.start_soon(task, journal)
            nursery.start_soon(fail, worker)
            await trio.testing.wait_all_tasks_blocked()
            gate.open()

    await with_journal(path, [], use)
    assert seen == [0]


async def test_a_failed_read_harms_nothing(path: str):
    async def use(worker: Worker, journal: Journal) -> None:
        with pytest.raises(JournalError, match="no such table"):
            await worker.do(lambda db: db.execute("SELECT * FROM missing"), reads=True)
        with pytest.raises(NotFoundError):
            await journal.message("m-1")
        await journal.accept((MESSAGE,))

    await with_journal(path, [], use)


async def test_a_cancelled_wait_does_not_take_the_write_back(path: str):
    async def use(worker: Worker, journal: Journal) -> None:
        async with trio.open_nursery() as nursery:
            gate = await holding(worker, nursery)
            with trio.CancelScope() as scope:
                nursery.start_soon(trio.testing.wait_all_tasks_blocked)
                scope.cancel()
                await journal.accept((MESSAGE,))
            assert scope.cancelled_caught
            gate.open()
        assert len(await journal.messages()) == 1

    await with_journal(path, [], use)


async def test_leaving_the_block_carries_out_what_was_asked_for(path: str):
    """Even when it is left because everything is cancelled."""
    with trio.CancelScope() as scope:
        async with open_journal(path) as journal, trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(journal.accept, (MESSAGE,))
            await trio.testing.wait_all_tasks_blocked()
            scope.cancel()
    async with open_journal(path) as journal:
        assert len((await journal.load()).messages) == 50


async def test_an_error_in_the_block_comes_out_as_it_is(path: str):
    with pytest.raises(KeyError):
        async with open_journal(path):
            raise KeyError("mine")


async def test_opening_can_be_cancelled(path: str):
    with trio.CancelScope() as scope:
        scope.cancel()
        async with open_journal(path):
            raise AssertionError("cancelled before")
    assert scope.cancelled_caught
    async with open_journal(path) as journal:
        await journal.accept((MESSAGE,))


async def test_a_closed_journal_says_so(path: str):
    async with open_journal(path) as journal:
        pass
    with pytest.raises(JournalError, match="is closed"):
        await journal.accept((MESSAGE,))
    with pytest.raises(JournalError, match="is closed"):
        await journal.messages()


async def test_a_thread_that_ends_by_a_defect_leaves_nobody_waiting(path: str):
    """Whoever waits is told, so is whoever comes later; and a journal opened anew has what was committed."""
    refused: list[str] = []

    async def write(journal: Journal) -> None:
        with pytest.raises(JournalError, match="unforeseen") as lost:
            await journal.accept((MESSAGE,))
        refused.append(lost.value.code)

    with trio.fail_after(LIMIT_S):
        worker = Worker(lambda: FaultyStore(path))
        await worker.start()
        journal = Journal(worker, JournalSettings(), utc_now)
        await journal.accept((MESSAGE,))
        async with trio.open_nursery() as nursery:
            gate = await holding(worker, nursery)
            for _ in range(3):
                nursery.start_soon(write, journal)
            await trio.testing.wait_all_tasks_blocked()
            gate.open()
        with pytest.raises(JournalError, match="unforeseen"):
            await journal.wait_lost()
        await write(journal)
        await worker.close()
        async with open_journal(path) as again:
            assert [message.id for message in (await again.load()).messages] == ["m-1"]
    assert refused == ["journal"] * 4


async def test_closing_twice_is_closing_once(path: str):
    worker = Worker(lambda: Store(path))
    await worker.start()
    with trio.fail_after(LIMIT_S):
        await worker.close()
        await worker.close()


@pytest.mark.parametrize("checkpoint", range(6))
async def test_cancelling_at_any_checkpoint_leaves_a_journal_that_works(path: str, checkpoint: int):
    """Open, write, write again, read, close: cancelled at the n-th step, then done over."""

    async def work() -> None:
        async with open_journal(path) as journal:
            for _ in range(2):
                await journal.accept((MESSAGE,))
                await trio.lowlevel.checkpoint()
            await journal.messages()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        for _ in range(checkpoint):
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    await work()
    async with open_journal(path) as journal:
        messages = (await journal.load()).messages
    assert [message.id for message in messages] == [f"m-{number + 1}" for number in range(len(messages))]
    assert 2 <= len(messages) <= 4
