import os
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tmuxorc.config import JournalSettings, Synchronous
from tmuxorc.errors import JournalError
from tmuxorc.journal import (
    JournalBusyError,
    JournalCorruptError,
    JournalNewerError,
    JournalReadOnlyError,
    NewMessage,
    _schema,
    open_journal,
)
from tmuxorc.journal._store import Store

MESSAGE = NewMessage(sender="operator", target="main/alice", text="hello")


async def refused(path: str) -> JournalError:
    with pytest.raises(JournalError) as caught:
        async with open_journal(path):
            pass
    error = caught.value
    assert path in error.message
    assert error.hint
    assert error.details["path"] == path
    return error


def write(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)


def read(path: str) -> bytes:
    return Path(path).read_bytes()


@contextmanager
def unprivileged() -> Iterator[None]:
    """As root no permission would stop us: be somebody else meanwhile."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def foreign_directory() -> Iterator[Path]:
    """A directory anyone may enter and only its owner may write."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        os.chmod(name, 0o555)
        yield Path(name)
        os.chmod(name, 0o755)


async def test_the_journal_and_what_lies_beside_it_is_for_its_owner_only(path: str):
    before = os.umask(0)
    try:
        async with open_journal(path) as journal:
            await journal.accept((MESSAGE,))
            files = sorted(Path(path).parent.iterdir())
            modes = {stat.S_IMODE(file.stat().st_mode) for file in files}
    finally:
        os.umask(before)
    assert [file.name for file in files] == ["journal.db", "journal.db-shm", "journal.db-wal"]
    assert modes == {0o600}


@pytest.mark.parametrize(("synchronous", "level"), [(Synchronous.FULL, 2), (Synchronous.NORMAL, 1)])
async def test_the_setting_decides_when_the_disk_is_waited_for(path: str, synchronous: Synchronous, level: int):
    async with open_journal(path, JournalSettings(synchronous=synchronous)) as journal:
        value = await journal._worker.do(lambda db: db.execute("PRAGMA synchronous").fetchone(), reads=True)
    assert value == (level,)


async def test_closing_leaves_one_file(path: str):
    async with open_journal(path) as journal:
        await journal.accept((MESSAGE,))
    assert [file.name for file in Path(path).parent.iterdir()] == ["journal.db"]


async def test_a_journal_of_the_future_is_refused_and_left_alone(path: str):
    async with open_journal(path) as journal:
        await journal.accept((MESSAGE,))
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    error = await refused(path)
    assert isinstance(error, JournalNewerError)
    assert error.code == "journal_newer"
    assert "has version 99" in error.message
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM message").fetchone() == (1,)
    db.close()


async def test_an_older_journal_is_migrated_step_by_step(path: str):
    async with open_journal(path) as journal:
        await journal.accept((MESSAGE,))
    later = (
        *_schema.MIGRATIONS,
        ("CREATE TABLE one (x)",),
        ("ALTER TABLE one ADD COLUMN y", "INSERT INTO one VALUES (1, 2)"),
    )
    db = sqlite3.connect(path, isolation_level=None)
    _schema.migrate(db, path, later)
    assert db.execute("PRAGMA user_version").fetchone() == (len(later),)
    assert db.execute("SELECT x, y FROM one").fetchall() == [(1, 2)]
    assert db.execute("SELECT count(*) FROM message").fetchone() == (1,)
    db.close()


def test_a_migration_that_fails_leaves_the_version_before_it(path: str):
    later = (*_schema.MIGRATIONS, ("CREATE TABLE one (x)",), ("CREATE TABLE two (x)", "CREATE TABLE one (x)"))
    db = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        _schema.migrate(db, path, later)
    assert db.execute("PRAGMA user_version").fetchone() == (len(later) - 1,)
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'two'").fetchone() == (0,)
    db.close()


@pytest.mark.parametrize("content", [b"not a database at all, by any means", b"SQLite format 3\0" + b"\xff" * 200])
async def test_a_damaged_journal_is_one_clear_error_and_left_alone(path: str, content: bytes):
    write(path, content)
    error = await refused(path)
    assert isinstance(error, JournalCorruptError)
    assert error.code == "journal_corrupt"
    assert read(path) == content


async def test_the_way_out_of_a_damaged_journal_works_as_the_hint_says(path: str):
    """The hint ends in a command that sets it aside."""
    write(path, b"rubbish " * 100)
    error = await refused(path)
    command = error.hint.partition("empty one: ")[2]
    write(f"{path}-wal", b"")
    await trio.run_process(["sh", "-c", command])
    async with open_journal(path) as journal:
        assert (await journal.load()).messages == ()
    assert read(f"{os.path.dirname(path)}/damaged/journal.db") == b"rubbish " * 100


async def read_all(path: str) -> None:
    async with open_journal(path) as journal:
        await journal.load()
        await journal.messages()


async def test_damage_found_later_is_named_as_such(path: str):
    async with open_journal(path) as journal:
        await journal.accept([MESSAGE] * 500)
    good = read(path)
    write(path, good[:4096] + b"\xff" * (len(good) - 4096))
    with pytest.raises(JournalCorruptError):
        await read_all(path)


async def test_the_database_of_another_program_is_refused(path: str):
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    assert isinstance(await refused(path), JournalCorruptError)
    db = sqlite3.connect(path)
    assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    db.close()


async def test_an_empty_file_becomes_a_journal(path: str):
    write(path, b"")
    async with open_journal(path) as journal:
        await journal.accept((MESSAGE,))


async def test_a_missing_directory_is_one_clear_error(path: str):
    error = await refused(f"{path}.d/journal.db")
    assert isinstance(error, JournalReadOnlyError)
    assert error.code == "journal_read_only"


async def test_a_directory_in_its_place_is_one_clear_error(path: str):
    directory = path.removesuffix("/journal.db")
    assert isinstance(await refused(directory), JournalReadOnlyError)


def test_a_directory_that_cannot_be_written_is_one_clear_error(foreign_directory: Path):
    with unprivileged(), pytest.raises(JournalReadOnlyError, match="cannot be created: Permission denied"):
        Store(f"{foreign_directory}/journal.db")


def test_a_journal_that_cannot_be_written_is_one_clear_error(foreign_directory: Path):
    path = str(foreign_directory / "journal.db")
    os.chmod(foreign_directory, 0o755)
    Store(path).close()
    os.chmod(path, 0o444)
    os.chmod(foreign_directory, 0o555)
    with unprivileged(), pytest.raises(JournalReadOnlyError) as caught:
        Store(path)
    assert str(foreign_directory) in caught.value.hint


def forget_events(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM event")


def test_a_journal_locked_by_another_program_is_one_clear_error(path: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tmuxorc.journal._store.BUSY_TIMEOUT_S", 0.05)
    store = Store(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    (outcome,) = store.commit([forget_events])
    assert isinstance(outcome.error, JournalBusyError)
    assert outcome.error.code == "journal_busy"
    assert "is locked" in outcome.error.message
    other.execute("ROLLBACK")
    assert store.commit([forget_events])[0].error is None
    other.close()
    store.close()
