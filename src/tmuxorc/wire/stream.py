"""The trio client: for commands that follow a stream, and for whatever runs in an event loop anyway."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Generic, Self, TypeVar

import trio

from tmuxorc.errors import TimedOutError, UnreachableError
from tmuxorc.wire.client import check_ours, lost, unreachable
from tmuxorc.wire.exchange import Answer, Exchange, Item
from tmuxorc.wire.methods import AnyMethod, HelloReply, Method

P = TypeVar("P")
R = TypeVar("R")


class Items(Generic[R]):
    """The objects of one request's stream: iterate, then read `result`."""

    def __init__(self, stream: "Stream", method: AnyMethod, params: object) -> None:
        self._stream = stream
        self._request: tuple[AnyMethod, object] | None = (method, params)
        self._result: tuple[R, ...] = ()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        event = await self._advance()
        if isinstance(event, Item):
            return event.value
        raise StopAsyncIteration

    async def _advance(self) -> Item | None:
        if self._result:
            return None
        if self._request is not None:
            method, params = self._request
            self._request = None
            await self._stream.send(method, params)
        event = await self._stream.next_event()
        if isinstance(event, Item):
            return event
        self._result = (event.value,)
        return None

    @property
    def result(self) -> R:
        """The request's own result, once the iteration has ended."""
        if not self._result:
            raise RuntimeError("the stream has not ended")
        return self._result[0]


class Stream:
    """A connection to a supervisor on trio, for one request at a time."""

    def __init__(self, stream: trio.SocketStream, client: str) -> None:
        self._stream = stream
        self._exchange = Exchange(client)

    @property
    def hello(self) -> HelloReply | None:
        """What the supervisor said of itself; None before its first answer."""
        return self._exchange.hello

    def stream(self, method: Method[P, R], params: P) -> Items[R]:
        """Start a request when iterated and give each object of its stream as it comes.

        Raises, while iterating, what `Client.call` raises, except that no time limit is kept: use trio's.
        """
        return Items(self, method, params)

    async def call(self, method: Method[P, R], params: P) -> R:
        """Send a request and return its result; objects of a stream are passed over."""
        items = self.stream(method, params)
        async for _ in items:
            pass
        return items.result

    async def send(self, method: AnyMethod, params: object) -> None:
        """Send a request; `next_event` gives what comes back."""
        try:
            await self._stream.send_all(self._exchange.ask(method, params))
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise lost(str(error)) from None

    async def next_event(self) -> Item | Answer:
        """The next object or the result of the request sent last; a checkpoint even when it is here already."""
        await trio.lowlevel.checkpoint()
        while (event := self._exchange.next_event()) is None:
            self._exchange.receive(await self._receive())
        return event

    async def _receive(self) -> bytes:
        try:
            data = await self._stream.receive_some()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise lost(str(error)) from None
        if not data:
            raise lost("end of file")
        return bytes(data)


@asynccontextmanager
async def open_stream(path: str, *, client: str = "cli", timeout_s: float = 10.0) -> AsyncGenerator[Stream, None]:
    """Connect to the socket at `path` within `timeout_s` seconds; leaving the block hangs up and so cancels.

    Raises UnreachableError when nothing of ours listens there, TimedOutError.
    """
    stream = await _connect(path, timeout_s)
    try:
        check_ours(stream.socket, path)
        yield Stream(stream, client)
    finally:
        # Forceful: hanging up needs no goodbye, and must work while this task is being cancelled.
        await trio.aclose_forcefully(stream)


async def _connect(path: str, timeout_s: float) -> trio.SocketStream:
    try:
        with trio.fail_after(timeout_s):
            return await trio.open_unix_socket(path)
    except trio.TooSlowError:
        raise TimedOutError(f"no connection within {timeout_s:g} s", details={"socket": path}) from None
    except OSError as error:
        raise unreachable(path, error) from None
    except RuntimeError as error:
        raise UnreachableError(f"cannot connect to {path}: {error}") from None
