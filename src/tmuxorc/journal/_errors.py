"""What SQLite can refuse, as errors of the journal with a code of their own and a word on what to do."""

import errno
import os
import sqlite3

from tmuxorc.errors import JournalError


class JournalNewerError(JournalError):
    """The journal was written by a newer version of the program."""

    code = "journal_newer"


class JournalCorruptError(JournalError):
    """The file is damaged, or not a journal at all.  Nothing is ever moved or deleted unasked."""

    code = "journal_corrupt"


class JournalFullError(JournalError):
    """No room on the disk; nothing of the refused write was kept, and writing works again once there is room."""

    code = "journal_full"


class JournalReadOnlyError(JournalError):
    """The file or its directory cannot be written."""

    code = "journal_read_only"


class JournalBusyError(JournalError):
    """Another program holds the journal locked for longer than the patience of `BUSY_TIMEOUT_S`."""

    code = "journal_busy"


def damaged(path: str, what: str) -> JournalCorruptError:
    """The error for a journal that cannot be read, with the way to start without it."""
    aside = f"{os.path.dirname(path)}/damaged"
    hint = f"put a good copy in its place, or start with an empty one: mkdir {aside} && mv {path}* {aside}/"
    return JournalCorruptError(f"the journal {path} cannot be read: {what}", hint=hint, details={"path": path})


def unopened(path: str, error: OSError) -> JournalError:
    """The error for a file that the operating system would not create."""
    type_ = JournalFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else JournalReadOnlyError
    hint = f"make {os.path.dirname(path)} a directory you can write to, on a disk with free space"
    return type_(f"the journal {path} cannot be created: {error.strerror}", hint=hint, details={"path": path})


def translated(path: str, error: sqlite3.Error) -> JournalError:
    """The journal's own error for one of SQLite's."""
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path, str(error))
    type_, what, hint = _BY_CODE.get(primary, _OTHER)
    message = f"the journal {path} {what}: {error}"
    return type_(message, hint=hint.format(directory=os.path.dirname(path)), details={"path": path})


_BY_CODE: dict[int, tuple[type[JournalError], str, str]] = {
    sqlite3.SQLITE_FULL: (JournalFullError, "cannot grow", "free space on the disk that holds {directory}"),
    sqlite3.SQLITE_READONLY: (JournalReadOnlyError, "cannot be written", "make it and {directory} writable for you"),
    sqlite3.SQLITE_CANTOPEN: (JournalReadOnlyError, "cannot be opened", "make {directory} writable for you"),
    sqlite3.SQLITE_PERM: (JournalReadOnlyError, "cannot be opened", "make {directory} writable for you"),
    sqlite3.SQLITE_BUSY: (JournalBusyError, "is locked", "end the other program that writes to it"),
    sqlite3.SQLITE_LOCKED: (JournalBusyError, "is locked", "end the other program that writes to it"),
    sqlite3.SQLITE_IOERR: (JournalError, "cannot be read or written", "check the disk that holds {directory}"),
}
_OTHER = (JournalError, "refused an operation", "")
