"""What senders and operators of actors may meet; all are `TmuxOrcError`s."""

from tmuxorc.actors._exits import ExitReason
from tmuxorc.errors import ActorError, ConflictError, ExitStatus, NotFoundError, UsageError


class ActorDied(ActorError):
    """The actor is not running, or ended before it answered; `reason` is its last exit, None if it never ran."""

    code = "actor_died"

    def __init__(self, path: str, reason: ExitReason | None = None, *, why: str = "") -> None:
        what = why or (f"ended: {reason}" if reason is not None else "is not running")
        super().__init__(f"{path} {what}")
        self.path = path
        self.reason = reason


class MailboxFull(ActorError):
    """The user lane of the actor's mailbox holds as many messages as it may (S18)."""

    code = "mailbox_full"
    exit_status = ExitStatus.REFUSED
    default_hint = "it takes in less than it is sent: try again later"

    def __init__(self, path: str, capacity: int) -> None:
        super().__init__(f"the mailbox of {path} is full ({capacity} messages)")
        self.path = path


class CallTimeout(ActorError):
    """No answer came in time; the effect of the request is not undone (S20)."""

    code = "call_timeout"
    exit_status = ExitStatus.TIMED_OUT

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__(f"{path} did not answer within {timeout_s:g} s")
        self.path = path


class CallDirectionError(ActorError):
    """An actor called itself, an actor above it, or one started after it: two such calls could wait for each other."""

    code = "call_direction"

    def __init__(self, caller: str, path: str) -> None:
        super().__init__(f"{caller} may not call {path}: calls go down, or to an actor started earlier; cast instead")
        self.caller = caller
        self.path = path


class NoSuchActor(NotFoundError):
    """No actor is registered under that path, no child under that id."""

    code = "no_such_actor"

    def __init__(self, path: str) -> None:
        super().__init__(f"there is no actor {path}")
        self.path = path


class NotUnderstood(UsageError):
    """The actor has no use for such a message.  A cast like that becomes a dead letter and harms nobody (S23)."""

    code = "not_understood"

    def __init__(self, path: str, message: object) -> None:
        super().__init__(f"{path} does not understand {type(message).__name__}")
        self.path = path


class DuplicateChild(ConflictError):
    """The supervisor has a child of that id already."""

    code = "duplicate_child"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} exists already")
        self.path = path


class Superseded(ConflictError):
    """A later order overtook this one: the child was stopped before it was up, for instance."""

    code = "superseded"


class StartTimedOut(ActorError):
    """A child did not acknowledge its start in time."""

    code = "start_timeout"
    exit_status = ExitStatus.TIMED_OUT


class GaveUp(ActorError):
    """A supervisor restarted its children too often and ended (S9)."""

    code = "reached_max_restart_intensity"

    def __init__(self, path: str, intensity: int, period_s: float, reason: ExitReason) -> None:
        super().__init__(f"{path} gave up: over {intensity} restarts within {period_s:g} s; last cause: {reason}")
        self.path = path
        self.reason = reason
