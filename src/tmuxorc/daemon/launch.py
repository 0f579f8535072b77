"""Start the supervisor when it is needed, exactly once however many need it; and stop it, whatever its version.

Used by short commands, so nothing heavy is imported before a process really has to be started.
"""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from tmuxorc.daemon import lock
from tmuxorc.daemon.readiness import Report, wait_for_verdict
from tmuxorc.errors import TimedOutError, TmuxOrcError, UnreachableError
from tmuxorc.nesting import is_marker
from tmuxorc.paths import Paths
from tmuxorc.wire.client import Client, NotRunningError
from tmuxorc.wire.methods import DAEMON_STATUS, DAEMON_STOP, Done, Empty, StopDaemon

START_S = 60.0
"""Longest wait for a supervisor to become ready, in seconds."""

STOP_S = 30.0
"""Longest wait for a supervisor to end after it was told to, in seconds."""

KILL_S = 5.0

PROGRAM = (sys.executable, "-P", "-m", "tmuxorc.daemon")

LOG_LINES = 5

CALLER = frozenset(
    {
        "COLUMNS",
        "LINES",
        "LISTEN_FDS",
        "LISTEN_PID",
        "NOTIFY_SOCKET",
        "OLDPWD",
        "PWD",
        "SHLVL",
        "STY",
        "TMUX",
        "TMUX_PANE",
        "WINDOW",
        "_",
    }
)
"""Variables that are true of the calling shell and its terminal only."""


def ensure_running(paths: Paths, *, timeout_s: float = START_S, program: Sequence[str] = PROGRAM) -> bool:
    """Return once a supervisor answers on the instance's socket; True if this call started it.

    Any number may call at once: one starts it, the others wait.  Raises the very error that kept the supervisor from
    starting (a RemoteError), UnreachableError when it ended without a word, TimedOutError when it is not ready within
    `timeout_s` seconds (it goes on starting).
    """
    if _answers(paths):
        return False
    paths.make_runtime_dir()
    paths.make_state_dir()
    start_lock = lock.acquire(paths.start_lock, timeout_s)
    if start_lock is None:
        raise TimedOutError(f"a supervisor has been starting for {timeout_s:g} s", hint=_log_hint(paths))
    try:
        return not _answers(paths) and _start(paths, start_lock, timeout_s, program)
    finally:
        os.close(start_lock)


def running_pid(paths: Paths) -> int | None:
    """The process id of the instance's supervisor; None when there is none."""
    return lock.holder(paths.lock)


def stop(paths: Paths, *, agents: bool = False, timeout_s: float = STOP_S, program: Sequence[str] = PROGRAM) -> Done:
    """Stop the supervisor and wait until it is gone; with `agents`, it ends the agents first, in order.

    Agents that outlived their supervisor are ended too: a new one takes them over first.
    Without `agents` a signal is enough, so that one of any version can be stopped, even one that no longer answers: it
    is killed after `timeout_s` seconds.  That loses nothing: the next supervisor takes over the agents.
    Raises RemoteError with what ending the agents met, TimedOutError when it cannot be ended.
    """
    if agents and os.path.exists(paths.journal):
        ensure_running(paths, program=program)
    pid = running_pid(paths)
    if pid is None:
        return Done(changed=False, message="no supervisor was running")
    if agents:
        _ask_to_stop(paths, timeout_s)
    else:
        _signal(pid, signal.SIGTERM)
    if _ended(paths, timeout_s):
        return Done(changed=True, message="stopped")
    _signal(pid, signal.SIGKILL)
    if _ended(paths, KILL_S):
        return Done(changed=True, message=f"killed: it did not stop within {timeout_s:g} s")
    raise TimedOutError(f"the supervisor (pid {pid}) cannot be ended", hint=f"see why: ps -o stat,wchan -p {pid}")


def restart(paths: Paths, *, timeout_s: float = START_S, program: Sequence[str] = PROGRAM) -> bool:
    """Stop the supervisor if there is one, and start it; agents stay.  True if one was running.  Raises as both do."""
    was_running = stop(paths).changed
    ensure_running(paths, timeout_s=timeout_s, program=program)
    return was_running


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` without what is true of the calling terminal or agent only."""
    return {name: value for name, value in environ.items() if name not in CALLER and not is_marker(name)}


def _answers(paths: Paths) -> bool:
    try:
        Client.connect(paths.socket).close()
    except NotRunningError:
        return False
    return True


def _start(paths: Paths, start_lock: int, timeout_s: float, program: Sequence[str]) -> bool:
    # The new process gets the start lock too and keeps it until it is ready: killing the command that started it lets
    # nobody start a second one meanwhile.
    pipe = _spawn([*program, "--detach", str(start_lock), paths.instance], start_lock)
    try:
        report = wait_for_verdict(pipe, timeout_s)
    finally:
        os.close(pipe)
    if report is None:
        raise TimedOutError(f"the supervisor is not ready after {timeout_s:g} s", hint=_log_hint(paths))
    if report.error is not None:
        raise report.error
    if report.verdict is None:
        raise _ended_early(paths, report)
    return True


def _spawn(argv: Sequence[str], start_lock: int) -> int:
    """Start a detached process; returns the pipe that is its standard output and error."""
    import subprocess

    pipe, output = os.pipe()
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=clean_environment(os.environ),
            pass_fds=[start_lock],
            start_new_session=True,
        )
    except OSError as error:
        os.close(pipe)
        raise UnreachableError(f"cannot start {argv[0]}: {error.strerror}", hint="see: tmux-orc doctor") from None
    finally:
        os.close(output)
    process.wait()  # it forks at once and leaves the child to init
    return pipe


def _ask_to_stop(paths: Paths, timeout_s: float) -> None:
    with Client.connect(paths.socket, timeout_s=timeout_s) as client:
        client.call(DAEMON_STATUS, Empty())  # does it answer at all?
        # Ending the agents is the long part, and no limit of ours knows how long theirs are.
        client.call(DAEMON_STOP, StopDaemon(agents=True), timeout_s=float("inf"))


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _ended(paths: Paths, timeout_s: float) -> bool:
    freed = lock.acquire(paths.lock, timeout_s, shared=True)
    if freed is None:
        return False
    os.close(freed)
    return True


def _ended_early(paths: Paths, report: Report) -> TmuxOrcError:
    last = report.noise.strip().splitlines()[-LOG_LINES:]
    return UnreachableError(
        f"the supervisor ended while it was starting{': ' + last[-1] if last else ''}",
        hint=_log_hint(paths),
        details={"output": last},
    )


def _log_hint(paths: Paths) -> str:
    return f"see why in {paths.log}, or: tmux-orc doctor"
