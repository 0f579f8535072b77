"""What a command's function is given: the way to the supervisor of one instance.

The calls are coroutines so that the same functions serve another caller's event loop, but these never suspend: one
blocking round trip needs no loop.
"""

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from tmuxorc.cli._tree import ROOT
from tmuxorc.errors import UnreachableError, UsageError
from tmuxorc.paths import DEFAULT_INSTANCE, Paths, find_paths, instance_name
from tmuxorc.wire.methods import Method

if TYPE_CHECKING:
    from tmuxorc.wire.client import Client

P = TypeVar("P")
R = TypeVar("R")

CALL_TIMEOUT_S = 30.0
"""How long an answer may take that waits for nothing by itself."""

GLANCE_TIMEOUT_S = 10.0
"""How long is waited for a supervisor when the question is how it is."""

CONNECT_TIMEOUT_S = 10.0
"""How long a busy supervisor may take to accept a connection."""

WAIT_MARGIN_S = 5.0
"""What the client waits longer than the supervisor, so that the supervisor's better error wins."""

OF_ONE_INSTANCE = tuple(word for word in ROOT if word not in ("config", "demo", "reflect", "completion"))
"""The first words of commands that speak to one instance."""


def _drop(_: object) -> None:
    """Nobody listens."""


class App:
    """One instance as a command sees it.

    `emit` takes the values of a streaming command as they come; `say` takes lines for people while long work goes on.
    """

    def __init__(
        self,
        instance: str | None = None,
        *,
        emit: Callable[[Any], None] = _drop,
        say: Callable[[str], None] = _drop,
    ) -> None:
        self._option = instance
        self._paths: Paths | None = None
        self.emit = emit
        self.say = say

    @property
    def instance(self) -> str:
        """The instance's name: the option, else ``TMUX_ORC_INSTANCE``, else ``default``."""
        return instance_name(self._option)

    def naming(self, text: str) -> str:
        """`text` with ``-L NAME`` in the commands it names, if that is how this instance was chosen."""
        if self._option in (None, DEFAULT_INSTANCE):
            return text
        return re.sub(rf"\btmux-orc (?=({'|'.join(OF_ONE_INSTANCE)})\b)", f"tmux-orc -L {self._option} ", text)

    @property
    def paths(self) -> Paths:
        """Where the instance keeps its socket, journal and log."""
        if self._paths is None:
            self._paths = find_paths(self.instance)
        return self._paths

    @property
    def cwd(self) -> str:
        """The caller's working directory."""
        try:
            return os.getcwd()
        except FileNotFoundError:
            raise UsageError(
                "the current directory no longer exists", hint="cd to one that does, or give --cwd"
            ) from None

    @property
    def search_path(self) -> str:
        """The caller's ``PATH``."""
        return os.environ.get("PATH", "")

    async def call(self, method: Method[P, R], params: P, *, timeout_s: float = CALL_TIMEOUT_S) -> R:
        """Ask the supervisor, starting it first if none runs.

        Raises:
            UnreachableError: none answers and none could be started, or it went away before it answered.  Only the
                connecting is tried again, never the request: it may have been carried out.
            RemoteError: what the supervisor answered instead of a result.
        """
        return await self.follow(method, params, None, timeout_s=timeout_s)

    async def wait(self, method: Method[P, R], params: P, *, wait_s: float) -> R:
        """`call` for a request that the supervisor itself answers only after up to `wait_s` seconds."""
        return await self.follow(method, params, None, timeout_s=wait_s + WAIT_MARGIN_S)

    async def follow(
        self, method: Method[P, R], params: P, on_item: Callable[[Any], None] | None, *, timeout_s: float
    ) -> R:
        """`call` for a request that tells of its steps: each is given to `on_item` as it comes."""
        try:
            client = self.connect()
        except UnreachableError:
            self.ensure_running()
            client = self.connect()
        with client:
            return client.call(method, params, timeout_s=timeout_s, on_item=on_item)

    def ask(self, method: Method[P, R], params: P, *, timeout_s: float = CALL_TIMEOUT_S) -> R:
        """One blocking round trip to a supervisor that runs already; starts none.

        Raises:
            UnreachableError: none answers.
        """
        with self.connect(timeout_s) as client:
            return client.call(method, params, timeout_s=timeout_s)

    def connect(self, timeout_s: float = CONNECT_TIMEOUT_S) -> "Client":
        """A connection to a supervisor that runs already."""
        from tmuxorc.wire.client import Client

        return Client.connect(self.paths.socket, timeout_s=timeout_s)

    def ensure_running(self) -> None:
        """Start the supervisor unless it runs."""
        from tmuxorc.daemon.launch import ensure_running

        ensure_running(self.paths)

    async def stream(self, method: Method[P, R], params: P, on_item: Callable[[Any], None]) -> R:
        """`follow` for a stream without an end; runs under trio, so that it is cancelled like everything there."""
        from tmuxorc.wire.stream import open_stream

        self.ensure_running()
        async with open_stream(self.paths.socket) as connection:
            items = connection.stream(method, params)
            async for item in items:
                on_item(item)
        return items.result
