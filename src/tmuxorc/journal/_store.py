"""The SQLite connection: opening it as durable as asked, and running operations on it as one transaction.

Synchronous and bound to the thread that opened it; what the operations do stands in `_desired`, `_messages`, `_events`.
"""

import contextlib
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tmuxorc.config import Synchronous
from tmuxorc.errors import JournalError
from tmuxorc.journal._errors import translated, unopened
from tmuxorc.journal._schema import migrate

BUSY_TIMEOUT_S = 5.0
"""How long a write waits for another program, such as a person's ``sqlite3`` shell, to let go of the journal."""

_VACUUM_PAGES = 2000
_WAL_LIMIT_BYTES = 16 * 1024 * 1024

Operation = Callable[[sqlite3.Connection], Any]


class Outcome(NamedTuple):
    """How one operation ended: its value, or why it failed."""

    value: Any = None
    error: Exception | None = None


class Store:
    """An open journal.  Use it from one thread only."""

    def __init__(self, path: str, synchronous: Synchronous = Synchronous.FULL) -> None:
        """Open or create the journal at `path`; raises `JournalError` with a code for what is wrong."""
        self.path = path
        _create(path)
        try:
            self._db = _connected(path, synchronous)
        except sqlite3.Error as error:
            raise translated(path, error) from error

    def commit(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Run `operations` in one transaction and return once the disk has it; the outcomes are in their order.

        An operation that fails on its own account leaves no trace and does not touch the others.  When the disk fails,
        all of them do, each with a `JournalError` of its own, and nothing of them is kept.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            outcomes = [self._attempt(operation) for operation in operations]
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            return [Outcome(error=translated(self.path, error)) for _ in operations]
        return outcomes

    def read(self, operation: Operation) -> Outcome:
        """Run an operation that only reads."""
        try:
            return Outcome(operation(self._db))
        except sqlite3.Error as error:
            return Outcome(error=translated(self.path, error))
        except Exception as error:  # noqa: BLE001 - whose it is, is for whoever asked
            return Outcome(error=error)

    def close(self) -> None:
        """Close; what is committed is safe even if the last checkpoint fails."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()

    def _attempt(self, operation: Operation) -> Outcome:
        self._db.execute("SAVEPOINT attempt")
        try:
            outcome = Outcome(operation(self._db))
        except Exception as error:
            if _is_the_disks(error):
                raise
            self._db.execute("ROLLBACK TO attempt")
            outcome = Outcome(error=error)
        self._db.execute("RELEASE attempt")
        return outcome

    def _roll_back(self) -> None:
        # Some failures (a full disk among them) have rolled back already; then this fails, and that is fine.
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")


def _is_the_disks(error: Exception) -> bool:
    """Whether SQLite or the disk failed, and not merely the one statement."""
    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError


def _create(path: str) -> None:
    """Make the file private before SQLite writes to it (its companions take over the mode), and its name durable."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        for directory in (os.path.dirname(path), os.path.dirname(os.path.dirname(path))):
            _sync_directory(directory)
    except FileExistsError:
        pass
    except OSError as error:
        raise unopened(path, error) from error


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _connected(path: str, synchronous: Synchronous) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        _configure(db, path, synchronous)
        migrate(db, path)
        _give_room_back(db)
    except BaseException:
        db.close()
        raise
    return db


def _configure(db: sqlite3.Connection, path: str, synchronous: Synchronous) -> None:
    # Must come before the first table; without it a burst of large messages would keep its room on the disk for ever.
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise JournalError(f"the journal {path} cannot use a write-ahead log here", hint="keep it on a local disk")
    db.execute(f"PRAGMA synchronous = {synchronous.value}")
    db.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    if sys.platform == "darwin" and synchronous is Synchronous.FULL:
        # On macOS a plain fsync leaves the data in the drive's own cache.
        db.execute("PRAGMA fullfsync = 1")


def _give_room_back(db: sqlite3.Connection) -> None:
    """Shorten the file by what is free in it, as far as that takes no noticeable time; failing at it does no harm."""
    with contextlib.suppress(sqlite3.OperationalError):
        # Not `execute`: SQLite frees one page a step, and a statement without columns is stepped only once there.
        db.executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})")
