"""Locks between processes that end with their holder, however it ends.

`flock` belongs to the open file: who inherits the descriptor holds the lock too, and the kernel lets go when the last
one is closed.  Nothing is polled: a thread waits in the kernel.
"""

import fcntl
import os
import threading
from contextlib import suppress

from tmuxorc.errors import ConfigError


def acquire(path: str, timeout_s: float, *, shared: bool = False) -> int | None:
    """Lock the file at `path`, made if missing; the descriptor holds the lock until closed.

    None when someone else still holds it after `timeout_s` seconds.  Raises ConfigError when the file cannot be made.
    """
    descriptor = _open(path)
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    if _try(descriptor, operation) or (timeout_s > 0 and _wait(descriptor, operation, timeout_s)):
        return descriptor
    os.close(descriptor)
    return None


def holder(path: str) -> int | None:
    """The process that `sign`ed the lock at `path` and still holds it; None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _try(descriptor, fcntl.LOCK_SH) else _signature(descriptor)
    finally:
        os.close(descriptor)


def sign(descriptor: int) -> None:
    """Write this process's id into the locked file."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"cannot open {path}: {error.strerror}"
        raise ConfigError(message, hint=f"check that {os.path.dirname(path)} is yours to write") from None


def _try(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(descriptor: int, operation: int, timeout_s: float) -> bool:
    taken = threading.Event()

    def wait() -> None:
        # Given up meanwhile, the descriptor is closed: the lock is then let go by the kernel as soon as it is got.
        with suppress(OSError):
            fcntl.flock(descriptor, operation)
            taken.set()

    threading.Thread(target=wait, name="flock", daemon=True).start()
    return taken.wait(timeout_s)


def _signature(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None
