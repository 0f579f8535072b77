"""HTTP to an agent's server on the loopback interface, on `h11`: a connection for each question, and open streams."""

import base64
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import h11
import trio

from tmuxorc.channels._base import ChannelDown, ChannelUnclear
from tmuxorc.model import Frozen

PATIENCE_S = 15.0
"""How long an answer may take; agents under load take seconds."""

CHUNK = 1 << 16


class Reply(Frozen):
    """An answer, whole."""

    status: int
    body: bytes = b""

    @property
    def good(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300


class HttpServer:
    """What listens on `port` of 127.0.0.1, for `user` with `password` (RFC 7617)."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self._port = port
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = [("Host", f"127.0.0.1:{port}"), ("Authorization", f"Basic {token}")]

    def __repr__(self) -> str:
        return f"<HttpServer on port {self._port}>"

    async def ask(self, method: str, path: str, body: bytes | None = None) -> Reply:
        """One question.  Raises `ChannelDown` if it cannot have arrived, `ChannelUnclear` if it may have."""
        async with self._connected() as stream:
            try:
                with trio.fail_after(PATIENCE_S):
                    exchange = _Exchange(stream)
                    await exchange.send(method, path, self._headers, body)
                    return await exchange.reply()
            except trio.TooSlowError as error:
                raise ChannelUnclear(f"no answer to {method} {path} in {PATIENCE_S:g} s") from error
            except (OSError, trio.BrokenResourceError, h11.ProtocolError) as error:
                raise ChannelUnclear(f"no answer to {method} {path}: {error}") from error

    @asynccontextmanager
    async def stream(self, path: str, silence_s: float) -> AsyncGenerator["Pieces"]:
        """An answer without an end.  Raises `ChannelDown`, also from `Pieces` after `silence_s` without any."""
        async with self._connected() as stream:
            exchange = _Exchange(stream)
            with _lost():
                with trio.fail_after(PATIENCE_S):
                    await exchange.send("GET", path, self._headers, None)
                    status = await exchange.status()
            if status != 200:
                raise ChannelDown(f"GET {path} was answered with status {status}")
            yield Pieces(exchange, silence_s)

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[trio.SocketStream]:
        try:
            with trio.fail_after(PATIENCE_S):
                stream = await trio.open_tcp_stream("127.0.0.1", self._port)
        except (OSError, trio.TooSlowError) as error:
            raise ChannelDown(f"nothing answers on port {self._port}") from error
        async with stream:
            yield stream


@contextmanager
def _lost() -> Generator[None]:
    """Turns what can go wrong while reading into `ChannelDown`."""
    try:
        yield
    except trio.TooSlowError as error:
        raise ChannelDown("it has fallen silent") from error
    except (OSError, trio.BrokenResourceError, h11.ProtocolError) as error:
        raise ChannelDown(f"the connection broke: {error}") from error


class Pieces:
    """The body of an answer as it comes."""

    def __init__(self, exchange: "_Exchange", silence_s: float) -> None:
        self._exchange = exchange
        self._silence_s = silence_s

    async def receive(self) -> bytes:
        """The next piece.  Raises `ChannelDown`."""
        with _lost():
            with trio.fail_after(self._silence_s):
                piece = await self._exchange.piece()
        if piece is None:
            raise ChannelDown("it has ended the stream")
        return piece


class _Exchange:
    """One question and its answer on one connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._h11 = h11.Connection(h11.CLIENT)

    async def send(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes | None) -> None:
        more = [] if body is None else [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        data = self._h11.send(h11.Request(method=method, target=path, headers=[*headers, *more])) or b""
        data += (self._h11.send(h11.Data(data=body)) or b"") if body else b""
        await self._stream.send_all(data + (self._h11.send(h11.EndOfMessage()) or b""))

    async def status(self) -> int:
        while not isinstance(event := await self._event(), h11.Response):
            pass  # informational ones
        return event.status_code

    async def piece(self) -> bytes | None:
        """The next part of the body; None at its end."""
        event = await self._event()
        return bytes(event.data) if isinstance(event, h11.Data) else None

    async def reply(self) -> Reply:
        status, body = await self.status(), bytearray()
        while (piece := await self.piece()) is not None:
            body += piece
        return Reply(status=status, body=bytes(body))

    async def _event(self) -> object:
        while (event := self._h11.next_event()) is h11.NEED_DATA:
            self._h11.receive_data(await self._stream.receive_some(CHUNK))
        return event
