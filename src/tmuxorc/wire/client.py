"""The blocking client of short commands: one socket, no event loop, nothing imported without need."""

import os
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, Self, TypeVar

from tmuxorc.errors import TimedOutError, TmuxOrcError, UnreachableError
from tmuxorc.wire.exchange import Answer, Exchange, Item
from tmuxorc.wire.methods import HelloReply, Method
from tmuxorc.wire.peer import Connected, peer_uid

P = TypeVar("P")
R = TypeVar("R")

_CHUNK = 256 * 1024

SILENT = "it may still come; if it stays silent: tmux-orc daemon restart (agents keep running)"


class NotRunningError(UnreachableError):
    """Nothing listens on the socket: a supervisor may be started there."""


class ForeignSupervisorError(UnreachableError):
    """Another user listens on the socket: not a word is said to them."""

    code = "foreign_supervisor"
    default_hint = "set XDG_RUNTIME_DIR to a directory of your own"


class Client:
    """A connection to a supervisor, for one request at a time.

    >>> with Client.connect(paths.socket) as client:            # doctest: +SKIP
    ...     agents = client.call(AGENT_LIST, ListAgents()).agents
    """

    def __init__(self, sock: socket.socket, *, timeout_s: float, client: str = "cli") -> None:
        self._sock = sock
        self._timeout_s = timeout_s
        self._exchange = Exchange(client)

    @classmethod
    def connect(cls, path: str, *, timeout_s: float = 10.0, client: str = "cli") -> Self:
        """Connect to the socket at `path`; `timeout_s` bounds this and, unless told otherwise, each call.

        Raises NotRunningError when nothing listens there, UnreachableError when it cannot be reached,
        ForeignSupervisorError when it belongs to another user.
        """
        return cls(_connect(path, timeout_s), timeout_s=timeout_s, client=client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the supervisor cancels what is still being done for this client."""
        self._sock.close()

    @property
    def hello(self) -> HelloReply | None:
        """What the supervisor said of itself; None before the first call has been answered."""
        return self._exchange.hello

    def call(
        self,
        method: Method[P, R],
        params: P,
        *,
        timeout_s: float | None = None,
        on_item: Callable[[Any], None] | None = None,
    ) -> R:
        """Send a request and wait up to `timeout_s` seconds for its result; ``inf`` waits for ever.

        Objects of a stream are given to `on_item` as they come.  Raises RemoteError with what the supervisor answered,
        ProtocolMismatchError, TimedOutError (the client is closed then; the effect may still happen),
        UnreachableError when the supervisor goes away, and TooLargeError or NotUnicodeError before sending.
        """
        seconds = self._timeout_s if timeout_s is None else timeout_s
        data = self._exchange.ask(method, params)
        try:
            return self._converse(data, time.monotonic() + seconds, on_item)  # type: ignore[no-any-return]
        except TimeoutError:
            self.close()
            raise TimedOutError(f"no answer to {method.name} within {seconds:g} s", hint=SILENT) from None
        except OSError as error:
            self.close()
            raise lost(error.strerror or str(error)) from None

    def _converse(self, data: bytes, deadline: float, on_item: Callable[[Any], None] | None) -> Any:
        self._limit(deadline)
        self._sock.sendall(data)
        while True:
            event = self._exchange.next_event()
            if isinstance(event, Answer):
                return event.value
            if isinstance(event, Item):
                if on_item is not None:
                    on_item(event.value)
            else:
                self._receive(deadline)

    def _receive(self, deadline: float) -> None:
        self._limit(deadline)
        data = self._sock.recv(_CHUNK)
        if not data:
            raise ConnectionResetError("end of file")
        self._exchange.receive(data)

    def _limit(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(left, 1e6))


def _connect(path: str, timeout_s: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Under settimeout() connect() fails at once with EAGAIN while the backlog is full; under SO_SNDTIMEO it waits.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(timeout_s))
        sock.connect(path)
        check_ours(sock, path)
    except OSError as error:
        sock.close()
        raise unreachable(path, error) from None
    except ForeignSupervisorError:
        sock.close()
        raise
    return sock


def check_ours(sock: Connected, path: str) -> None:
    """Raise ForeignSupervisorError unless this very user listens at `path`.

    In ``/tmp`` another user may have made our directory first; what they answer would even be run (`agent.attach`).
    """
    owner = peer_uid(sock)
    if owner != os.geteuid():
        message = f"the supervisor at {path} is user {owner}'s, not yours ({os.geteuid()})"
        raise ForeignSupervisorError(message, details={"socket": path, "uid": owner})


def _timeval(seconds: float) -> bytes:
    whole = int(min(max(seconds, 0.001), 1e6) * 1e6)
    return struct.pack("@ll", whole // 1_000_000, whole % 1_000_000)


def unreachable(path: str, error: OSError) -> TmuxOrcError:
    """Why no connection to `path` came about, as the error to raise."""
    details = {"socket": path}
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return NotRunningError("no supervisor is running", details=details)
    if isinstance(error, BlockingIOError | TimeoutError):
        return UnreachableError("the supervisor does not answer", hint="see: tmux-orc doctor", details=details)
    reason = error.strerror or str(error)
    return UnreachableError(f"cannot connect to {path}: {reason}", hint="see: tmux-orc doctor", details=details)


def lost(reason: str) -> UnreachableError:
    """The error to raise when a connection that stood has ended."""
    return UnreachableError(
        "the supervisor went away before it answered",
        hint="see what happened: tmux-orc daemon logs",
        details={"reason": reason},
    )
