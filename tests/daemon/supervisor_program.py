"""A supervisor process with an app of its own: ``supervisor_program.py APP [--detach FD] INSTANCE``.

Each app is a way for a supervisor to behave, told apart by name; all but the broken ones answer on the socket.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import trio

from tmuxorc.config import Settings
from tmuxorc.daemon.process import App, Limits, main
from tmuxorc.errors import JournalError
from tmuxorc.model import DaemonStatus
from tmuxorc.paths import Paths
from tmuxorc.wire.methods import DAEMON_STATUS, DAEMON_STOP, PROTOCOL, Done, Empty, HelloReply, StopDaemon
from tmuxorc.wire.server import Session, open_listener, serve


def status_of(paths: Paths, protocol: int) -> DaemonStatus:
    """Facts about this process; `tmux_state` carries its working directory and the signals it ignores."""
    ignored = [number.name for number in signal.valid_signals() if signal.getsignal(number) == signal.SIG_IGN]
    return DaemonStatus(
        pid=os.getpid(),
        version="test",
        protocol=protocol,
        uptime_s=0.0,
        instance=paths.instance,
        socket=paths.socket,
        tmux_socket=" ".join(sorted(os.environ)),
        journal=paths.journal,
        log=paths.log,
        tmux_version=os.getcwd(),
        tmux_state=" ".join(ignored),
        rss_bytes=os.getsid(0),
        cpu_s=0.0,
    )


def note(paths: Paths, name: str, text: str) -> None:
    """Tell the test something through a file in the runtime directory."""
    Path(paths.runtime_dir, name).write_text(text)


async def answer(
    paths: Paths, ready: Callable[[], None], shutdown: trio.Event, *, protocol: int = PROTOCOL, drain: bool = True
) -> None:
    """Answer until told to stop; without `drain`, never end by itself."""

    async def status(params: Empty, session: Session) -> DaemonStatus:
        return status_of(paths, protocol)

    async def stop(params: StopDaemon, session: Session) -> Done:
        shutdown.set()
        return Done(changed=True)

    hello = HelloReply(protocol=protocol, version="test", instance=paths.instance, pid=os.getpid())
    routes = {DAEMON_STATUS.name: status, DAEMON_STOP.name: stop}
    async with open_listener(paths.socket) as listener, trio.open_nursery() as nursery:
        nursery.start_soon(serve, listener, routes, hello)
        ready()
        await shutdown.wait()
        if not drain:
            with trio.CancelScope(shield=True):
                await trio.sleep_forever()
        nursery.cancel_scope.cancel()


async def good(paths: Paths, settings: Settings, *, ready: Callable[[], None], shutdown: trio.Event) -> None:
    await answer(paths, ready, shutdown)


async def old(paths: Paths, settings: Settings, *, ready: Callable[[], None], shutdown: trio.Event) -> None:
    await answer(paths, ready, shutdown, protocol=PROTOCOL - 1)


async def stubborn(paths: Paths, settings: Settings, *, ready: Callable[[], None], shutdown: trio.Event) -> None:
    await answer(paths, ready, shutdown, drain=False)


async def announcing(paths: Paths, settings: Settings, *, ready: Callable[[], None], shutdown: trio.Event) -> None:
    def announce() -> None:
        ready()
        note(paths, "fifo", f"{os.getpid()}\n")

    await answer(paths, announce, shutdown)


async def lingering(paths: Paths, settings: Settings, *, ready: Callable[[], None], shutdown: trio.Event) -> None:
    """Never ends by itself, but can be cancelled, and says when it is."""
    try:
        await answer(paths, ready, trio.Event())
    finally:
        note(paths, "cancelled", "yes")


async def refusing(paths: Paths, settings: Settings, *, ready: Callable[[], None], shutdown: trio.Event) -> None:
    async with trio.open_nursery():
        raise JournalError("the journal is corrupt", hint="move it away", details={"path": paths.journal})


async def broken(paths: Paths, settings: Settings, *, ready: Callable[[], None], shutdown: trio.Event) -> None:
    raise RuntimeError("no such luck")


async def failing_later(paths: Paths, settings: Settings, *, ready: Callable[[], None], shutdown: trio.Event) -> None:
    ready()
    raise RuntimeError("no such luck")


async def dumb(paths: Paths, settings: Settings, *, ready: Callable[[], None], shutdown: trio.Event) -> None:
    os._exit(3)


async def hanging(paths: Paths, settings: Settings, *, ready: Callable[[], None], shutdown: trio.Event) -> None:
    note(paths, "fifo", f"{os.getpid()}\n")
    await shutdown.wait()


def _load() -> App:
    if sys.argv[1] == "missing":
        raise ImportError("half an installation")
    app: App = globals()[sys.argv[1]]
    return app


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], _load, Limits(handover_s=1.0, ready_s=2.0, stop_s=0.3)))
