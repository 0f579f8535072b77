"""The supervisor's log: one JSON object a line, written at once, rotated by size, reopened on request.

Nothing runs between two records.  Standard output and error go to the same file, so a line that is not JSON is
something a library or the interpreter itself wrote.
"""

import errno
import json
import logging
import os
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def as_json(record: logging.LogRecord) -> str:
    """A record as one line: ``at level logger message``, what was given as ``extra``, and ``traceback``."""
    entry: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }
    entry |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
    if record.exc_info and record.exc_info[0]:
        entry["traceback"] = "".join(traceback.format_exception(*record.exc_info))
    return json.dumps(entry, ensure_ascii=False, default=repr)


class LogFile(logging.Handler):
    """Appends to the file at `path`; at `max_bytes` it becomes ``PATH.1``, of which `backups` are kept.

    Whatever goes wrong loses records, not the supervisor; the next record that can be written says how many were lost.
    With `stdio`, file descriptors 1 and 2 follow the file.
    """

    def __init__(self, path: str, *, max_bytes: int, backups: int, stdio: bool = False) -> None:
        super().__init__()
        self._path = path
        self._max_bytes = max_bytes
        self._backups = backups
        self._stdio = stdio
        self._lost = 0
        self._file, self._size = -1, 0
        self._open()

    def limit(self, max_bytes: int, backups: int) -> None:
        """Use other limits from now on."""
        self._max_bytes, self._backups = max_bytes, backups

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self._write(self._line(record))
        except Exception:  # noqa: BLE001 - a full disk, or a record that cannot be put into words
            self._lost += 1
        else:
            self._lost = 0

    def _line(self, record: logging.LogRecord) -> bytes:
        line = f"{as_json(record)}\n".encode(errors="backslashreplace")
        # The newline first ends what a full disk may have cut off.
        return b'\n{"records_lost": %d}\n%b' % (self._lost, line) if self._lost else line

    def reopen(self) -> None:
        """Go on in a new file at the same path, after someone has moved the old one away."""
        self.acquire()
        try:
            self._open()
        finally:
            self.release()

    def close(self) -> None:
        """Close the file; standard output and error stay with it."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
        super().close()

    def _write(self, line: bytes) -> None:
        if self._size and self._size + len(line) > self._max_bytes:
            self._rotate()
        written = os.write(self._file, line)
        self._size += written
        if written < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _rotate(self) -> None:
        if self._is_in_place():
            self._move_away()
        self._open()

    def _is_in_place(self) -> bool:
        """False if somebody else moved the file away, or if the last rotation could not open the next one."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.stat(self._path), os.fstat(self._file))
        return False

    def _move_away(self) -> None:
        for number in range(self._backups - 1, 0, -1):
            with suppress(FileNotFoundError):
                os.replace(f"{self._path}.{number}", f"{self._path}.{number + 1}")
        if self._backups:
            os.replace(self._path, f"{self._path}.1")
        else:
            os.truncate(self._path, 0)

    def _open(self) -> None:
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._size = file, os.fstat(file).st_size
        if self._stdio:
            os.dup2(file, 1)
            os.dup2(file, 2)
