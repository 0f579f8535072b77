"""The socket as an actor: last up, first down; it answers, and says so, while tmux is away."""

import os
from collections.abc import Callable, Mapping

import trio

from tmuxorc import __version__
from tmuxorc.actors._holding import Holding
from tmuxorc.paths import Paths
from tmuxorc.wire.methods import PROTOCOL, HelloReply
from tmuxorc.wire.server import Handler, open_listener, serve


class SocketActor(Holding):
    """Listens for clients and hands their requests to the routes."""

    def __init__(self, paths: Paths, routes: Mapping[str, Handler]) -> None:
        super().__init__()
        self._paths = paths
        self._routes = routes

    async def hold(self, ready: Callable[[], None]) -> None:
        """Listen until cancelled; answers under way are finished by the server."""
        hello = HelloReply(protocol=PROTOCOL, version=__version__, instance=self._paths.instance, pid=os.getpid())
        async with open_listener(self._paths.socket) as listener, trio.open_nursery() as nursery:
            await nursery.start(serve, listener, self._routes, hello)
            ready()
