"""Opening the instance's tmux: server and hub by libtmux in a worker thread, then the control client."""

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from tmuxorc.tmux._connection import background, connect
from tmuxorc.tmux._errors import TmuxTimeout
from tmuxorc.tmux._install import Endpoint
from tmuxorc.tmux._server import ensure_hub
from tmuxorc.tmux._tmux import Tmux
from tmuxorc.tmux.process import Process, all_processes, send_signal

HISTORY_LIMIT = 10_000
SETUP_DEADLINE_S = 15.0

libtmux_threads = trio.CapacityLimiter(2)


@asynccontextmanager
async def open_tmux(
    endpoint: Endpoint,
    *,
    instance: str,
    size: tuple[int, int] = (200, 50),
    history_limit: int = HISTORY_LIMIT,
    deadline_s: float = SETUP_DEADLINE_S,
) -> AsyncGenerator[Tmux, None]:
    """The instance's tmux, its server and hub made if they are missing.  `size` is (columns, rows) of new windows.

    Leaving the block detaches; server, sessions and panes stay.  Raises `TmuxTimeout`, `TmuxGone` or `TmuxRefused`.
    """
    hub = await _ensure_hub(endpoint, instance, size, history_limit, deadline_s)
    tmux = Tmux(endpoint, instance, hub, size, history_limit)
    async with connect(endpoint, hub, tmux.take, deadline_s=deadline_s) as connection:
        await tmux.begin(connection)
        async with background(tmux.keep_comparing):
            yield tmux


async def _ensure_hub(
    endpoint: Endpoint, instance: str, size: tuple[int, int], history_limit: int, deadline_s: float
) -> str:
    before = _children()
    with trio.move_on_after(deadline_s):
        # libtmux waits for its subprocess without limit: it is killed below, and the thread left behind makes nothing.
        return await trio.to_thread.run_sync(
            ensure_hub,
            *(endpoint, instance, size, history_limit, trio.from_thread.check_cancelled),
            abandon_on_cancel=True,
            limiter=libtmux_threads,
        )
    for hanging in _children() - before:
        send_signal(hanging, signal.SIGKILL)
    raise TmuxTimeout(f"{endpoint.binary} did not bring up {endpoint.socket_path} within {deadline_s:g} s")


def _children() -> frozenset[Process]:
    return frozenset(process for process in all_processes() if process.parent == os.getpid())
