"""The closed set of reasons an incarnation ends with (S3)."""

from typing import ClassVar, cast

import msgspec


class Exit(msgspec.Struct, frozen=True):
    """Base of the exit reasons; `name` is its stable word, `abnormal` what a `transient` child restarts after."""

    name: ClassVar[str]
    abnormal: ClassVar[bool] = True

    def __str__(self) -> str:
        return self.name


class Finished(Exit, frozen=True):
    """It did what it was for and ended by itself."""

    name: ClassVar[str] = "finished"
    abnormal: ClassVar[bool] = False


class Stopped(Exit, frozen=True):
    """It was asked to end, by its supervisor or by a person, and did so in time."""

    name: ClassVar[str] = "stopped"
    abnormal: ClassVar[bool] = False


class Failed(Exit, frozen=True):
    """It raised `error` after its start was acknowledged."""

    error: BaseException
    name: ClassVar[str] = "failed"

    def __str__(self) -> str:
        return f"failed: {describe(self.error)}"


class Killed(Exit, frozen=True):
    """It was cancelled: by an operator, or because it did not stop within its `shutdown_s`."""

    name: ClassVar[str] = "killed"


class StartFailed(Exit, frozen=True):
    """It raised `error` before its start was acknowledged."""

    error: BaseException
    name: ClassVar[str] = "start_failed"

    def __str__(self) -> str:
        return f"start failed: {describe(self.error)}"


class StartTimeout(Exit, frozen=True):
    """Its start was not acknowledged within `start_timeout_s`."""

    name: ClassVar[str] = "start_timeout"


ExitReason = Finished | Stopped | Failed | Killed | StartFailed | StartTimeout
"""Every way an incarnation can end."""


def describe(error: BaseException) -> str:
    """One line for people: the message of the error, or its type where it has none."""
    return str(error) or type(error).__name__


def root_cause(error: BaseException) -> BaseException:
    """The one error inside nested exception groups, or the group itself if it holds several.

    A nursery wraps even a single failure in a group; nobody should have to look for the real error in there.
    """
    inner = members(error)
    while len(inner) == 1:
        error = inner[0]
        inner = members(error)
    return error


def members(error: BaseException) -> tuple[BaseException, ...]:
    """The errors directly inside a group; none if it is no group."""
    if not isinstance(error, BaseExceptionGroup):
        return ()
    return cast("BaseExceptionGroup[BaseException]", error).exceptions
