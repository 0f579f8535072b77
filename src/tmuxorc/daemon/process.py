"""The life of the supervisor process around the app: detaching, the lock, the log, signals, the end.

It knows nothing of agents: the app is given, and told to end by an event.
"""

import argparse
import faulthandler
import logging
import math
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import trio

from tmuxorc import __version__
from tmuxorc.config import Settings, load_settings
from tmuxorc.daemon import lock
from tmuxorc.daemon.log import LogFile
from tmuxorc.daemon.readiness import Starter
from tmuxorc.errors import ConfigError, ConflictError, TimedOutError, TmuxOrcError, cause_of
from tmuxorc.model import Frozen
from tmuxorc.paths import Paths, find_paths

log = logging.getLogger(__name__)


class Limits(Frozen):
    """How long things may take, in seconds.

    `handover_s`: the supervisor before this one to end; `ready_s`: the app to become ready; `stop_s`: the app to end
    after a signal, beyond ``daemon.drain_s``.
    """

    handover_s: float = 10.0
    ready_s: float = 60.0
    stop_s: float = 10.0


LIMITS = Limits()


class App(Protocol):
    """What runs in the process: calls `ready` once requests are answered, and returns soon after `shutdown` is set."""

    async def __call__(
        self, paths: Paths, settings: Settings, *, ready: Callable[[], None], shutdown: trio.Event
    ) -> None:
        """Run until told to end; a TmuxOrcError raised before `ready` is what the starting command shows."""


def main(arguments: Sequence[str], load_app: Callable[[], App], limits: Limits = LIMITS) -> int:
    """Run the supervisor of an instance with the app that `load_app` imports; returns the exit status.

    With ``--detach LOCK`` the process leaves the caller's session, and standard output is the pipe for the verdict.
    """
    options = _parse(arguments)
    starter = Starter() if options.detach is None else _detach(options.detach)
    try:
        _supervise(find_paths(options.instance), load_app, starter, limits)
    except Exception as error:  # noqa: BLE001 - the last one there is: told, logged, and the exit status
        return _end(error, starter)
    log.info("stopped")
    return 0


def _end(error: Exception, starter: Starter) -> int:
    cause = cause_of(error)
    if cause is None:
        log.critical("ended by a defect", exc_info=error)
        cause = _defect(error)
    else:
        log.critical("ended: %s", cause, extra={"code": cause.code})
    starter.failed(cause)
    return int(cause.exit_status)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tmuxorc.daemon", description="The tmux-orc supervisor.")
    parser.add_argument("instance", nargs="?", default="default", help="the instance to supervise")
    parser.add_argument("--detach", type=int, metavar="FD", help="go to the background; FD is the start lock")
    return parser.parse_args(arguments)


def _detach(start_lock: int) -> Starter:
    """Become a child of init in a session of its own, with signals as they are by default."""
    if os.fork():
        os._exit(0)
    # A shell starts background jobs with SIGINT ignored and nohup with SIGHUP ignored; the agents would inherit it.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGTSTP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    return Starter(os.dup(1), start_lock)


def _supervise(paths: Paths, load_app: Callable[[], App], starter: Starter, limits: Limits) -> None:
    paths.make_runtime_dir()
    paths.make_state_dir()
    _take_lock(paths, limits.handover_s)
    log_file = _open_log(paths.log)
    settings = load_settings(paths.config_file)
    log_file.limit(settings.log.max_bytes, settings.log.backups)
    logging.getLogger().setLevel(settings.log.level.upper())
    log.info("starting", extra={"pid": os.getpid(), "version": __version__, "instance": paths.instance})
    trio.run(_live, load_app(), paths, settings, starter, log_file, limits)


def _take_lock(paths: Paths, handover_s: float) -> int:
    """Become the instance's one supervisor, for the life of the process."""
    descriptor = lock.acquire(paths.lock, handover_s)
    if descriptor is None:
        raise _already_running(paths)
    lock.sign(descriptor)
    return descriptor


def _open_log(path: str) -> LogFile:
    try:
        log_file = LogFile(path, max_bytes=5_000_000, backups=3, stdio=True)
    except OSError as error:
        raise ConfigError(f"cannot write the log {path}: {error.strerror}", hint="see: tmux-orc doctor") from None
    logging.basicConfig(level=logging.INFO, handlers=[log_file], force=True)
    logging.captureWarnings(True)
    logging.raiseExceptions = False
    faulthandler.enable()
    return log_file


async def _live(
    app: App, paths: Paths, settings: Settings, starter: Starter, log_file: LogFile, limits: Limits
) -> None:
    shutdown = trio.Event()
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        failure: Exception | None = None
        async with trio.open_nursery() as nursery:
            grace_s = settings.daemon.drain_s + limits.stop_s
            nursery.start_soon(_heed, signals, shutdown, log_file, nursery.cancel_scope, grace_s)
            try:
                await _run_app(app, paths, settings, starter, shutdown, limits.ready_s)
            except Exception as error:  # noqa: BLE001 - re-raised below, outside the nursery that would wrap it
                failure = error
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure


async def _run_app(
    app: App, paths: Paths, settings: Settings, starter: Starter, shutdown: trio.Event, ready_s: float
) -> None:
    starting = trio.CancelScope(deadline=trio.current_time() + ready_s)

    def ready() -> None:
        starting.deadline = math.inf
        log.info("ready")
        starter.ready()

    with starting:
        await app(paths, settings, ready=ready, shutdown=shutdown)
    if starting.cancelled_caught:
        raise TimedOutError(f"the supervisor was not ready after {ready_s:g} s")


async def _heed(
    signals: AsyncIterator[int], shutdown: trio.Event, log_file: LogFile, scope: trio.CancelScope, grace_s: float
) -> None:
    """Hang-up reopens the log; the first other signal asks the app to end within `grace_s`, the second one ends it."""
    asked = False
    async for number in signals:
        log.info("signal", extra={"signal": signal.Signals(number).name})
        if number == signal.SIGHUP:
            _reopen(log_file)
        elif asked:
            scope.cancel()
        else:
            asked = True
            shutdown.set()
            scope.deadline = trio.current_time() + grace_s


def _reopen(log_file: LogFile) -> None:
    try:
        log_file.reopen()
    except OSError as error:
        log.error("the log cannot be opened anew, so it goes on where it was: %s", error)


def _already_running(paths: Paths) -> ConflictError:
    error = ConflictError(
        f"a supervisor of instance {paths.instance} already runs (pid {lock.holder(paths.lock)})",
        hint="was XDG_RUNTIME_DIR another when it started? If not, and it does not answer: tmux-orc daemon restart",
    )
    error.code = "already_running"
    return error


def _defect(error: Exception) -> TmuxOrcError:
    defect = TmuxOrcError(
        f"a defect in the supervisor: {type(error).__name__}: {error}",
        hint="please report it with the traceback in: tmux-orc daemon logs",
    )
    defect.code = "internal"
    return defect
