"""The one tree of errors: each has a stable code, an exit status and a word on what to do next.

Errors of trio, the operating system, SQLite and libtmux stop at the boundary of the package that met them and are
raised on as one of these.  On the wire an error travels as `ErrorInfo`; `tmuxorc.wire` turns it back into a
`RemoteError`.
"""

from enum import IntEnum
from typing import Any, ClassVar, cast


class ExitStatus(IntEnum):
    """What the process says to its caller; documented in the CLI reference."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    CONFLICT = 4
    REFUSED = 5
    TIMED_OUT = 6
    UNREACHABLE = 7


class TmuxOrcError(Exception):
    """Base of all errors a person may see.

    `code` is stable and machine-readable, `hint` says what to do next, `details` is JSON-able data.
    """

    code: str = "failed"
    exit_status: ExitStatus = ExitStatus.FAILED
    default_hint: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        self.details: dict[str, Any] = {} if details is None else details


class UsageError(TmuxOrcError):
    """The request itself is wrong: a bad name, a bad value, an impossible combination."""

    code = "usage"
    exit_status = ExitStatus.USAGE


class NotFoundError(TmuxOrcError):
    """The named agent, team, message or pane does not exist."""

    code = "not_found"
    exit_status = ExitStatus.NOT_FOUND


class ConflictError(TmuxOrcError):
    """The request contradicts what is there: a name taken, an ambiguous address, a state that forbids it."""

    code = "conflict"
    exit_status = ExitStatus.CONFLICT


class RefusedError(TmuxOrcError):
    """Understood and declined: not ours to touch, a full mailbox, content that must not be sent."""

    code = "refused"
    exit_status = ExitStatus.REFUSED


class TimedOutError(TmuxOrcError):
    """What was waited for did not come in time; it may still happen."""

    code = "timed_out"
    exit_status = ExitStatus.TIMED_OUT


class ConfigError(TmuxOrcError):
    """The configuration or a team file cannot be used; names file, key and the nearest known key."""

    code = "config"
    exit_status = ExitStatus.USAGE


class ActorError(TmuxOrcError):
    """An actor could not answer: it died, its mailbox is full, it did not start."""

    code = "actor"


class TmuxError(TmuxOrcError):
    """tmux refused a command, is missing, too old, gone, or does not answer."""

    code = "tmux"


class JournalError(TmuxOrcError):
    """The journal cannot be opened or written."""

    code = "journal"


class DeliveryError(TmuxOrcError):
    """A message cannot be accepted or delivered."""

    code = "delivery"


class WireError(TmuxOrcError):
    """Base of what goes wrong on the socket."""

    code = "wire"


class LocalProtocolError(WireError):
    """This side was about to break the protocol: a defect here, or a value too large to send."""

    code = "local_protocol"


class RemoteProtocolError(WireError):
    """The other side broke the protocol, or speaks another version of it."""

    code = "remote_protocol"


class UnreachableError(WireError):
    """No supervisor answers on the socket."""

    code = "unreachable"
    exit_status = ExitStatus.UNREACHABLE
    default_hint = "start it with: tmux-orc daemon start"


class RemoteError(TmuxOrcError):
    """An error the supervisor answered with; carries its code, exit status, hint and details unchanged."""

    def __init__(self, code: str, message: str, *, exit_status: int, hint: str, details: dict[str, Any]) -> None:
        super().__init__(message, hint=hint, details=details)
        self.code = code
        self.exit_status = ExitStatus(exit_status)


def cause_of(error: BaseException) -> TmuxOrcError | None:
    """The `TmuxOrcError` behind `error`, through any groups around it; None when something else is in them too."""
    if not isinstance(error, BaseExceptionGroup):
        return error if isinstance(error, TmuxOrcError) else None
    causes = [cause_of(part) for part in cast("BaseExceptionGroup[BaseException]", error).exceptions]
    return None if None in causes else causes[0]
