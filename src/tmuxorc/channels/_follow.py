"""Following files that another program appends to, without polling: inotify on Linux, a kqueue elsewhere."""

import os
import sys
from typing import BinaryIO, Self

import trio

CHUNK = 1 << 20


class Tail:
    """The lines of one file that may not be there yet, from its start, or those in its `last` bytes.

    A file that was replaced is read to its end first, then the new one; one that was cut short is read anew.  What has
    no line end yet waits for it.
    """

    def __init__(self, path: str, *, last: int | None = None) -> None:
        self._path = path
        self._last = last
        self._file: BinaryIO | None = None
        self._rest = b""

    def __repr__(self) -> str:
        return f"<Tail of {self._path}>"

    def read(self) -> list[bytes]:
        """The next whole lines without their ends, of a megabyte at most; none if there is nothing more."""
        data = self._next()
        if not data:
            return []
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines or self.read()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._rest = None, b""

    def _next(self) -> bytes:
        if self._file is None and not self._open():
            return b""
        assert self._file is not None
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)
            self._rest = b""
        data = self._file.read(CHUNK)
        if not data and self._was_replaced():
            self.close()
            return self._next()
        return data

    def _open(self) -> bool:
        try:
            self._file = open(self._path, "rb", buffering=0)  # noqa: SIM115 - it stays open
        except OSError:
            return False
        skipped = os.fstat(self._file.fileno()).st_size - self._last if self._last is not None else 0
        if skipped > 0:
            self._file.seek(skipped - 1)
            self._file.readline()  # the rest of a line
        self._last = None
        return True

    def _was_replaced(self) -> bool:
        assert self._file is not None
        try:
            return not os.path.samestat(os.stat(self._path), os.fstat(self._file.fileno()))
        except OSError:
            return False


if sys.platform == "linux":
    import ctypes
    import errno

    _LIBC = ctypes.CDLL(None, use_errno=True)
    _FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
    _MODIFY, _MOVED_TO, _CREATE = 0x2, 0x80, 0x100

    class _Watch:
        """An inotify of folders; every change of a file in them counts."""

        def __init__(self) -> None:
            self._fd = int(_LIBC.inotify_init1(_FLAGS))
            if self._fd < 0:
                raise _error(None)

        def add(self, folder: str, names: tuple[str, ...]) -> None:
            if _LIBC.inotify_add_watch(self._fd, os.fsencode(folder), _MODIFY | _MOVED_TO | _CREATE) < 0:
                raise _error(folder)

        def fileno(self) -> int:
            return self._fd

        def drain(self) -> None:
            try:
                os.read(self._fd, 1 << 16)
            except BlockingIOError:
                pass

        def close(self) -> None:
            os.close(self._fd)

    def _error(folder: str | None) -> OSError:
        number = ctypes.get_errno() or errno.EIO
        return OSError(number, os.strerror(number), folder)

else:
    import select

    class _Watch:
        """A kqueue of folders and of the named files in them."""

        def __init__(self) -> None:
            self._queue = select.kqueue()
            self._open: dict[str, int] = {}
            self._wanted: list[tuple[str, tuple[str, ...]]] = []

        def add(self, folder: str, names: tuple[str, ...]) -> None:
            self._watch(folder)
            self._wanted.append((folder, names))
            self._watch_files()

        def _watch_files(self) -> None:
            for folder, names in self._wanted:
                for name in names:
                    try:
                        self._watch(f"{folder}/{name}")
                    except OSError:
                        pass  # it is not there yet; the folder will tell

        def _watch(self, path: str) -> None:
            if path in self._open:
                return
            self._open[path] = fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            notes = select.KQ_NOTE_WRITE | select.KQ_NOTE_EXTEND | select.KQ_NOTE_DELETE | select.KQ_NOTE_RENAME
            flags = select.KQ_EV_ADD | select.KQ_EV_CLEAR
            self._queue.control([select.kevent(fd, select.KQ_FILTER_VNODE, flags, notes)], 0)

        def fileno(self) -> int:
            return self._queue.fileno()

        def drain(self) -> None:
            for event in self._queue.control(None, 64, 0):
                if event.fflags & (select.KQ_NOTE_DELETE | select.KQ_NOTE_RENAME):
                    self._forget(int(event.ident))
            self._watch_files()

        def _forget(self, fd: int) -> None:
            self._open = {path: other for path, other in self._open.items() if other != fd}
            os.close(fd)

        def close(self) -> None:
            self._queue.close()
            for fd in self._open.values():
                os.close(fd)


class FileWatch:
    """Wakes whoever waits when files change; a context manager.

    Nothing is said of what changed: look at the files, `wait`, look again.
    """

    def __init__(self) -> None:
        self._watch = _Watch()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.close()

    def add(self, path: str) -> None:
        """Watch the file at `path`, there or not; its folder must be.  Raises `OSError`."""
        folder, name = os.path.split(path)
        self._watch.add(folder, (name,))

    async def wait(self) -> None:
        """Until something has changed since the last call."""
        await trio.lowlevel.wait_readable(self._watch.fileno())
        self._watch.drain()
