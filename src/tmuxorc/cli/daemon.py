"""Commands about the supervisor process itself."""

import os
from typing import Annotated

from tmuxorc.cli._app import GLANCE_TIMEOUT_S, App
from tmuxorc.cli._declare import Opt, command
from tmuxorc.errors import NotFoundError, UsageError
from tmuxorc.model import DaemonStatus, Frozen
from tmuxorc.wire.methods import DAEMON_STATUS, Done, Empty

TAIL_BYTES = 4_000_000
"""How much of the end of the log is looked at; lines are short."""


class LogLines(Frozen):
    """The last lines of the log at `path`; each is one JSON object, as written."""

    path: str
    lines: tuple[str, ...]


@command("tmux-orc daemon start", "tmux-orc -L work daemon start")
async def start(app: App) -> DaemonStatus:
    """Start the supervisor, unless it runs.

    No command needs this: each starts it on demand.
    """
    return await app.call(DAEMON_STATUS, Empty())


@command("tmux-orc daemon stop", "tmux-orc daemon stop --agents")
async def stop(
    app: App,
    *,
    agents: Annotated[bool, Opt("--agents", help="End the agents first, in order.")] = False,
) -> Done:
    """Stop the supervisor; agents go on running.

    The next supervisor adopts them. Agents that --agents ended stay stopped, and listed, until they are started again.
    """
    from tmuxorc.daemon import launch

    return launch.stop(app.paths, agents=agents)


@command("tmux-orc daemon restart")
async def restart(app: App) -> DaemonStatus:
    """Stop the supervisor and start it again; agents go on running.

    This is what an upgrade needs.
    """
    from tmuxorc.daemon import launch

    launch.restart(app.paths)
    return app.ask(DAEMON_STATUS, Empty())


@command("tmux-orc daemon status", "tmux-orc daemon status --json | jq .rss_bytes")
async def status(app: App) -> DaemonStatus:
    """Show the supervisor process; starts none.

    Ends with status 7 when none runs.
    """
    return app.ask(DAEMON_STATUS, Empty(), timeout_s=GLANCE_TIMEOUT_S)


@command("tmux-orc daemon logs", 'tail -F "$(tmux-orc daemon logs --json | jq -r .path)"')
async def logs(
    app: App,
    *,
    lines: Annotated[int, Opt("--lines", "-n", metavar="N", help="How many of the last lines.")] = 50,
) -> LogLines:
    """Print the end of the supervisor's log.

    In the file, and with --json, each entry is one JSON object. Works while no supervisor runs.
    """
    if lines < 0:
        raise UsageError(f"--lines is {lines}, which is less than none", hint="give 0 or more")
    return LogLines(path=app.paths.log, lines=_tail(app.paths.log, lines))


def _tail(path: str, count: int) -> tuple[str, ...]:
    try:
        with open(path, "rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - TAIL_BYTES))
            data = log.read()
    except FileNotFoundError:
        hint = "there is one once a supervisor has run: tmux-orc daemon start"
        raise NotFoundError(f"no log yet: {path}", hint=hint) from None
    found = data.decode("utf-8", "replace").splitlines()
    return tuple(found[-count:] if count else ())
