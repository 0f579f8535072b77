"""What goes wrong with tmux, one class and one stable code for each thing a caller may want to tell apart."""

from tmuxorc.errors import ExitStatus, NotFoundError, TmuxError, UsageError

INSTALL = "install it: apt install tmux, dnf install tmux, pacman -S tmux, or brew install tmux"


class TmuxMissing(TmuxError):
    """No tmux program where it was looked for."""

    code = "tmux_missing"
    default_hint = INSTALL


class TmuxTooOld(TmuxError):
    """An older tmux than the oldest supported one, or something whose version cannot be read."""

    code = "tmux_too_old"
    default_hint = INSTALL.replace("install it", "upgrade it")


class TmuxTimeout(TmuxError):
    """tmux did not answer in time; the command may still take effect."""

    code = "tmux_timeout"
    exit_status = ExitStatus.TIMED_OUT
    default_hint = "the tmux server hangs or the machine is overloaded: see tmux-orc doctor"


class TmuxGone(TmuxError):
    """The connection to tmux, or its server, is gone."""

    code = "tmux_gone"
    default_hint = "try again in a moment; if it stays so: tmux-orc doctor"


class TmuxRefused(TmuxError):
    """tmux answered a command with an error."""

    code = "tmux_refused"


class NoSuchTarget(TmuxRefused):
    """The pane, window or session does not exist (any more)."""

    code = "tmux_no_target"
    exit_status = ExitStatus.NOT_FOUND


class Unsayable(TmuxError):
    """Text that tmux's command language cannot carry."""

    code = "tmux_unsayable"
    exit_status = ExitStatus.USAGE


class BadDirectory(UsageError):
    """The working directory is missing, no directory, or closed to us."""

    code = "bad_cwd"


class ProgramNotFound(NotFoundError):
    """The program to run is not in the PATH it was looked up in, or cannot be executed."""

    code = "program_not_found"


_NO_TARGET = ("can't find ", "no such pane", "no such window", "no such session", "no current ")


def refusal(command: str, message: str) -> TmuxRefused:
    """What tmux itself said about `command`, as an error: `NoSuchTarget` if it was about the target."""
    kind = NoSuchTarget if message.startswith(_NO_TARGET) else TmuxRefused
    return kind(f"tmux {command}: {message or 'failed without a word'}", details={"command": command})
