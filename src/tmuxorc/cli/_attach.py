"""Hand the terminal over to tmux: the process becomes the tmux client."""

import os
import sys

import msgspec

from tmuxorc.errors import RefusedError, TmuxError
from tmuxorc.wire.methods import AttachTarget


class Attachment(AttachTarget):
    """A session and window to look at, and the `command` that shows it."""

    command: tuple[str, ...]


def attachment(target: AttachTarget, *, read_only: bool) -> Attachment:
    """`target` with the command of another client, or of this one switched when it is on that server already."""
    place = target.session if target.window is None else f"{target.session}:{target.window}"
    verb = "switch-client" if is_inside(target) else "attach-session"
    flags = ("-r",) if read_only else ()
    argv = (target.tmux, "-u", "-S", target.tmux_socket, verb, *flags, "-t", place)
    return Attachment(**msgspec.structs.asdict(target), command=argv)


def hand_over(target: Attachment) -> None:
    """Become the tmux client that shows `target`; does not return.

    Raises:
        RefusedError: there is no terminal to hand over.
        TmuxError: tmux could not be run.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        hint = "run it in one, or look with: tmux-orc screen AGENT"
        raise RefusedError("attaching needs a terminal", hint=hint, details={"command": target.command})
    try:
        os.execvpe(target.command[0], target.command, client_environment(target))
    except OSError as error:
        raise TmuxError(f"cannot run {target.command[0]}: {error.strerror}", hint="tmux-orc doctor") from None


def is_inside(target: AttachTarget) -> bool:
    """Whether this terminal is a pane of that very server (``$TMUX`` is ``SOCKET,PID,SESSION``)."""
    inside = os.environ.get("TMUX", "").rsplit(",", 2)[0]
    return bool(inside) and os.path.realpath(inside) == os.path.realpath(target.tmux_socket)


def client_environment(target: AttachTarget) -> dict[str, str]:
    """The environment for tmux; inside another server's pane ``$TMUX`` must go, or tmux refuses to nest."""
    keep = dict(os.environ)
    if not is_inside(target):
        keep.pop("TMUX", None)
        keep.pop("TMUX_PANE", None)
    return keep
