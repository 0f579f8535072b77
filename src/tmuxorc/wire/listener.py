"""The supervisor's listening socket: private from its first moment, and reclaimed when a dead one left it behind."""

import os
import socket
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import trio

from tmuxorc.errors import ConflictError, WireError

_BACKLOG = 512


@asynccontextmanager
async def open_listener(path: str) -> AsyncGenerator[trio.SocketListener, None]:
    """Listen at `path` with mode 0600; on leaving, close and remove it.

    The caller holds the instance's lock, so a socket found there belongs to no living supervisor and is replaced.
    Raises ConflictError when something else lies there, WireError when the system refuses.
    """
    _reclaim(path)
    listener = trio.SocketListener(trio.socket.from_stdlib_socket(_bind(path)))
    identity = _identity(path)
    try:
        yield listener
    finally:
        if _identity(path) == identity:
            os.unlink(path)
        await trio.aclose_forcefully(listener)


def _reclaim(path: str) -> None:
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise ConflictError(f"{path} is in the way: it is not a socket", hint="move it elsewhere")
        os.unlink(path)


def _bind(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(path)
        # Not by umask, which is the whole process's; until here the 0700 directory keeps others out.
        os.chmod(path, 0o600)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise WireError(f"cannot listen on {path}: {error.strerror or error}") from None
    return sock


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
