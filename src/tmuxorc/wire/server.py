"""The supervisor's side of the socket: each request its own task, cancelled when its client goes away."""

import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import trio

from tmuxorc.errors import TmuxOrcError
from tmuxorc.wire import _refusals, codec
from tmuxorc.wire._outbox import Outbox
from tmuxorc.wire.framing import Line, LineBuffer, Overlong
from tmuxorc.wire.listener import open_listener
from tmuxorc.wire.methods import HELLO, METHODS, HelloReply
from tmuxorc.wire.peer import peer_uid

__all__ = ["FLUSH_S", "MAX_REQUESTS", "Handler", "Session", "open_listener", "serve"]

log = logging.getLogger(__name__)

MAX_REQUESTS = 1024
"""Requests one connection may have under way."""

FLUSH_S = 0.5
"""How long a stopping server goes on writing answers that are ready, in seconds."""


class Session:
    """What a handler knows of the request it serves."""

    def __init__(self, connection: "_Connection", request: codec.Request) -> None:
        self._connection = connection
        self._request = request

    @property
    def client(self) -> str:
        """The name the client gave itself in its greeting."""
        return self._connection.client

    async def notify(self, item: object) -> None:
        """Send one object of the request's stream; waits while this client is slow to read, and is a checkpoint."""
        line = codec.encode_progress(self._request, item)
        await trio.lowlevel.checkpoint()
        await self._connection.outbox.put(line)


Handler = Callable[[Any, Session], Awaitable[object]]


async def serve(
    listener: trio.SocketListener,
    routes: Mapping[str, Handler],
    hello: HelloReply,
    *,
    uid: int | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer every client of `listener` until cancelled; `routes` maps a method's name to what handles it.

    A handler gets the decoded parameters and a `Session`, and returns the result.  A TmuxOrcError it raises is the
    answer; anything else is logged and answered with code ``internal``.  Only `uid` (default: our own) may connect.
    Cancelled, it answers what is under way with code ``stopping`` and hangs up within `FLUSH_S` seconds.
    """
    allowed = os.geteuid() if uid is None else uid

    async def greet(stream: trio.SocketStream) -> None:
        if peer_uid(stream.socket) == allowed:
            await _Connection(stream, routes, hello).run()
        else:
            log.warning("refused a connection of another user", extra={"uid": peer_uid(stream.socket)})

    task_status.started()  # clients queue from the moment the socket listens
    await trio.serve_listeners(greet, [listener])


class _Connection:
    """One client: a task that reads, one that writes, and one for each request."""

    def __init__(self, stream: trio.SocketStream, routes: Mapping[str, Handler], hello: HelloReply) -> None:
        self.client = ""
        self.outbox = Outbox()
        self._stream = stream
        self._routes = routes
        self._hello = hello
        self._refusal: TmuxOrcError | None = _refusals.no_greeting()
        self._under_way = 0
        self._gone = False
        self._requests = trio.CancelScope()
        self._writing = trio.CancelScope(shield=True)

    async def run(self) -> None:
        """Serve until the client hangs up or the task is cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write)
            try:
                with self._requests:
                    async with trio.open_nursery() as requests:
                        await self._read(requests)
            finally:
                self.outbox.close()
                self._writing.deadline = trio.current_time() + FLUSH_S

    def _hang_up(self) -> None:
        self._gone = True
        self._requests.cancel()
        self._writing.cancel()

    async def _write(self) -> None:
        with self._writing:
            try:
                while piece := await self.outbox.take():
                    await self._stream.send_all(piece)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._hang_up()

    async def _read(self, requests: trio.Nursery) -> None:
        lines = LineBuffer()
        try:
            async for data in self._stream:
                for line in lines.feed(bytes(data)):
                    await self.outbox.room()
                    self._take(line, requests)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        self._hang_up()

    def _take(self, line: Line, requests: trio.Nursery) -> None:
        if isinstance(line, Overlong):
            self.outbox.push(codec.encode_error(None, _refusals.too_long(line)))
            return
        try:
            request = codec.decode_request(line)
        except codec.BadRequestError as error:
            self.outbox.push(codec.encode_error(_refusals.id_of(line), error))
            return
        if self._under_way >= MAX_REQUESTS:
            self.outbox.push(codec.encode_error(request.id, _refusals.too_many(MAX_REQUESTS)))
        elif request.method == HELLO.name:
            self.outbox.push(self._greet(request))
        else:
            self._under_way += 1
            requests.start_soon(self._serve, request)

    def _greet(self, request: codec.Request) -> bytes:
        try:
            greeting: _refusals.Greeting = codec.decode_params(request, _refusals.Greeting)
        except codec.BadRequestError as error:
            return codec.encode_error(request.id, error)
        self.client = greeting.client
        self._refusal = None if greeting.protocol == self._hello.protocol else _refusals.mismatch(greeting, self._hello)
        if self._refusal is not None:
            return codec.encode_error(request.id, self._refusal)
        return codec.encode_result(request.id, self._hello)

    async def _serve(self, request: codec.Request) -> None:
        line = b""
        try:
            line = await self._answer(request)
            await self.outbox.room()
        except BaseExceptionGroup as group:
            raise _refusals.only_cancelled(group, request) from None
        finally:
            self._under_way -= 1
            if not self._gone:
                self.outbox.push(line or codec.encode_error(request.id, _refusals.stopping()))

    async def _answer(self, request: codec.Request) -> bytes:
        if self._refusal is not None:
            return codec.encode_error(request.id, self._refusal)
        try:
            return codec.encode_result(request.id, await self._route(request))
        except Exception as error:  # noqa: BLE001 - bad input and defects are answers, never the end of a connection
            return codec.encode_error(request.id, _refusals.blame(error, request))

    async def _route(self, request: codec.Request) -> object:
        method, handler = METHODS.get(request.method), self._routes.get(request.method)
        if method is None or handler is None:
            raise _refusals.unknown(request)
        params = codec.decode_params(request, method.params)
        return await handler(params, Session(self, request))
