"""The inbox socket of a Claude Code session: where it is, whether it listens, and how a message is written there."""

import os
import socket
import struct
import sys
from collections.abc import Iterator

import trio

from tmuxorc.channels._base import ChannelDown, ChannelUnclear
from tmuxorc.channels._claude_protocol import Inbox
from tmuxorc.tmux.process import environment_of

READ_WITHIN_S = 2.0
"""How long a message may take to be read; the session hangs up when it has read all.  A busy one is slow to."""

_LONGEST_PATH = 103
_CREDENTIALS = struct.Struct("3i")


def inbox_of(pid: int) -> Inbox | None:
    """The inbox of the session that is process `pid`, or None; its token stays unknown."""
    found = next((path for path in _places(pid) if os.path.exists(path)), None)
    return None if found is None else Inbox(path=found, token="", pid=pid)


def _places(pid: int) -> Iterator[str]:
    """Where 2.1.331 puts it: in the runtime or the temporary directory, unless the path gets too long for a socket."""
    entries = map(os.fsdecode, environment_of(pid))
    variables = {name: value for name, _, value in (entry.partition("=") for entry in entries)}
    for folder in (variables.get("XDG_RUNTIME_DIR"), variables.get("TMPDIR"), "/tmp"):
        path = f"{folder}/cc-socks/{pid}.sock"
        if folder and len(os.fsencode(path)) <= _LONGEST_PATH:
            yield path
    yield f"/tmp/cc-socks-{os.getuid()}/{pid}.sock"


async def listens(inbox: Inbox) -> bool:
    """Whether that very process listens there; nothing is said to it."""
    try:
        stream = await _connect(inbox)
    except ChannelDown:
        return False
    await trio.aclose_forcefully(stream)
    return True


async def write(inbox: Inbox, lines: bytes) -> None:
    """Write `lines` and wait until they are read.

    Raises `ChannelDown` if the session cannot have got the last line, `ChannelUnclear` if it may have.
    """
    stream = await _connect(inbox)
    try:
        await _say(stream, lines)
        with trio.move_on_after(READ_WITHIN_S):
            await _wait_end(stream)
    finally:
        await trio.aclose_forcefully(stream)


async def _say(stream: trio.SocketStream, lines: bytes) -> None:
    try:
        await stream.send_all(lines)
    except trio.BrokenResourceError as error:  # the end of the last line has not gone out
        raise ChannelDown("the session hung up") from error


async def _wait_end(stream: trio.SocketStream) -> None:
    try:
        await stream.send_eof()
        while await stream.receive_some():
            pass
    except trio.BrokenResourceError as error:
        raise ChannelUnclear("the session broke off while it read") from error


async def _connect(inbox: Inbox) -> trio.SocketStream:
    try:
        stream = await trio.open_unix_socket(inbox.path)
    except OSError as error:
        raise ChannelDown(f"nobody listens on the session's inbox: {error.strerror}") from error
    if _peer(stream.socket) not in (None, inbox.pid):
        await trio.aclose_forcefully(stream)
        raise ChannelDown("another process listens on the session's inbox")
    return stream


def _peer(connected: trio.socket.SocketType) -> int | None:
    """The process that listens at the other end; None where the system does not tell."""
    if sys.platform != "linux":
        return None
    raw = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid: int = _CREDENTIALS.unpack(raw)[0]
    return pid or None
