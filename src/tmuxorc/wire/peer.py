"""Who is at the other end of a Unix socket, as the kernel knows it.  Both sides ask: neither is to be impersonated."""

import socket
import struct
import sys
from typing import Protocol


class Connected(Protocol):
    """A connected Unix socket: the standard library's, or trio's."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        """The option's value as bytes."""
        ...


def peer_uid(sock: Connected) -> int:
    """The user at the other end; of a listening process, as it was when it began to listen."""
    if sys.platform == "darwin":
        # LOCAL_PEERCRED (1) at level 0 gives struct xucred, whose second field is the uid.
        return int(struct.unpack_from("II", sock.getsockopt(0, 1, 128))[1])
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])
