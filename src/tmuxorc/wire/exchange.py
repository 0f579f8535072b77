"""A client's half of a connection as a plain object: requests in, bytes out; bytes in, events out.  No I/O."""

from collections import deque
from typing import Any

import msgspec

from tmuxorc import __version__
from tmuxorc.errors import RemoteProtocolError
from tmuxorc.wire import codec
from tmuxorc.wire.framing import Line, LineBuffer, Overlong
from tmuxorc.wire.methods import HELLO, PROTOCOL, AnyMethod, Hello, HelloReply


class Item:
    """One object of the current request's stream."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Answer:
    """The result of the current request."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Exchange:
    """One request at a time over one connection.

    `ask` gives the bytes to send; with the first request the greeting goes along, so that both cost one round trip.
    `receive` takes bytes; `next_event` gives what they meant, or None when more are needed.
    """

    def __init__(self, client: str) -> None:
        self._client = client
        self._lines = LineBuffer()
        self._pending: deque[Line] = deque()
        self._last_id = 0
        self._method: AnyMethod | None = None
        self.hello: HelloReply | None = None

    def __repr__(self) -> str:
        return f"<Exchange {self._method.name if self._method else 'idle'} #{self._last_id}>"

    def ask(self, method: AnyMethod, params: object) -> bytes:
        """Start a request; returns the bytes to send."""
        data = codec.encode_request(self._last_id + 1, method.name, params)
        self._last_id += 1
        self._method = method
        return data if self.hello else self._greeting() + data

    def _greeting(self) -> bytes:
        hello = Hello(protocol=PROTOCOL, version=__version__, client=self._client)
        return codec.encode_request(0, HELLO.name, hello)

    def receive(self, data: bytes) -> None:
        """Take bytes from the supervisor."""
        self._pending.extend(self._lines.feed(data))

    def next_event(self) -> Item | Answer | None:
        """What the current request got next; None: feed more bytes.

        Raises RemoteError when the supervisor answered with an error, ProtocolMismatchError when it speaks another
        protocol, RemoteProtocolError when it does not make sense.
        """
        while self._pending:
            event = self._read(self._pending.popleft())
            if event is not None:
                return event
        return None

    def _read(self, line: Line) -> Item | Answer | None:
        if isinstance(line, Overlong):
            raise RemoteProtocolError(f"the supervisor sent a line above {line.limit} bytes")
        frame = codec.decode_frame(line)
        if frame.method is not None:
            return self._progress(frame)
        if frame.error is not None and frame.id in (None, 0, self._last_id):
            raise codec.error_of(frame.error)
        if frame.id == 0:
            self._greeted(frame)
        return self._answer(frame) if frame.id == self._last_id else None

    def _greeted(self, frame: codec.Frame) -> None:
        hello: HelloReply = codec.decode_from_peer(frame.result, HelloReply)
        if hello.protocol != PROTOCOL:
            message = f"the supervisor speaks protocol {hello.protocol}, this command protocol {PROTOCOL}"
            raise codec.ProtocolMismatchError(message)
        self.hello = hello

    def _progress(self, frame: codec.Frame) -> Item | None:
        progress: codec.Progress = codec.decode_from_peer(frame.params, codec.Progress)
        if self._method is None or progress.request != self._last_id:
            return None
        return Item(codec.decode_from_peer(progress.item, self._method.stream or msgspec.Raw))

    def _answer(self, frame: codec.Frame) -> Answer:
        assert self._method is not None
        return Answer(codec.decode_from_peer(frame.result, self._method.result))
