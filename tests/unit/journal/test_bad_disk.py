"""A disk that refuses: one clear error, nothing half kept, and work goes on once there is room."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tmuxorc.errors import JournalError
from tmuxorc.journal import Journal, JournalFullError, NewMessage, open_journal
from tmuxorc.model import Rung, TeamSpec

SMALL = NewMessage(sender="operator", target="main/alice", text="hello")
BIG = NewMessage(sender="operator", target="main/alice", text="x" * 2**20)


async def limit_pages(journal: Journal, pages: int) -> None:
    """SQLite's own limit of the file's size: beyond it, it behaves as on a full disk."""
    await journal._worker.do(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchall(), reads=True)


def size(path: str) -> int:
    return Path(path).stat().st_size


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """The operating system itself refuses to write beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_refuses_the_write_and_a_later_one_works(path: str):
    async with open_journal(path) as journal:
        await journal.accept((SMALL,))
        await limit_pages(journal, 30)
        with pytest.raises(JournalFullError, match="database or disk is full") as caught:
            await journal.accept((SMALL, BIG))
        assert caught.value.code == "journal_full"
        assert "free space" in caught.value.hint
        assert len(await journal.messages()) == 1
        await limit_pages(journal, 1_000_000)
        (third,) = await journal.accept((BIG,))
    assert third.id == "m-2"


async def test_on_a_full_disk_what_needs_no_room_still_works(path: str):
    async with open_journal(path) as journal:
        await journal.put_team(TeamSpec(name="main"))
        await limit_pages(journal, 1)
        with pytest.raises(JournalFullError):
            await journal.accept((BIG,))
        assert len((await journal.load()).teams) == 1


async def test_a_full_disk_fails_all_that_share_the_transaction_and_none_of_them_hangs(path: str):
    failed: list[str] = []

    async def write(journal: Journal, message: NewMessage) -> None:
        with pytest.raises(JournalFullError):
            await journal.accept((message,))
        failed.append(message.text[:5])

    async with open_journal(path) as journal:
        await limit_pages(journal, 30)
        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                for _ in range(5):
                    nursery.start_soon(write, journal, BIG)
        assert await journal.messages() == ()
    assert len(failed) == 5


async def test_a_write_the_system_refuses_is_an_error_and_a_later_one_works(path: str):
    async with open_journal(path) as journal:
        await journal.accept((SMALL,))
        with no_file_longer_than(size(f"{path}-wal") + 8192), pytest.raises(JournalError):
            await journal.accept((BIG,))
        (again,) = await journal.accept((BIG,))
        await journal.advance("m-1", Rung.STAGED, "test")
        assert await journal.message(again.id) == again
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
