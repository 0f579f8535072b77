"""A real server on a socket of its own, for the clients' and the server's tests."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio

from tmuxorc.wire.methods import PROTOCOL, HelloReply
from tmuxorc.wire.server import Handler, open_listener, serve

HELLO_REPLY = HelloReply(protocol=PROTOCOL, version="9.9", instance="test", pid=os.getpid())


@asynccontextmanager
async def serving(
    path: str, routes: Mapping[str, Handler], *, hello: HelloReply = HELLO_REPLY, uid: int | None = None
) -> AsyncIterator[trio.CancelScope]:
    """Serve `routes` at `path` within the block; the scope it gives stops the server."""
    with trio.fail_after(20):
        async with open_listener(path) as listener, trio.open_nursery() as nursery:

            async def run() -> None:
                await serve(listener, routes, hello, uid=uid)

            nursery.start_soon(run)
            yield nursery.cancel_scope
            nursery.cancel_scope.cancel()
