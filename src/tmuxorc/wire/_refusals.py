"""Why the server does not do what it was asked: every refusal and its words, in one place."""

import logging

import msgspec
import trio

from tmuxorc.errors import RefusedError, TmuxOrcError, WireError, cause_of
from tmuxorc.wire import codec
from tmuxorc.wire.framing import Overlong
from tmuxorc.wire.methods import HelloReply

log = logging.getLogger(__name__)


class Greeting(msgspec.Struct):
    """What is needed of a `Hello`: a newer client may add fields, and must still be told of the mismatch."""

    protocol: int = 0
    version: str = "?"
    client: str = ""


class _RequestId(msgspec.Struct):
    id: int | str | None = None


def id_of(line: bytes) -> int | str | None:
    """The id of something that is no request, if it has one: its sender may be waiting for the answer."""
    try:
        return msgspec.json.decode(line, type=_RequestId).id
    except (ValueError, RecursionError):
        return None


def blame(error: Exception, request: codec.Request) -> TmuxOrcError:
    """The error to answer with: the client's own doing as it is, a defect of ours logged and as ``internal``."""
    cause = cause_of(error)
    if cause is not None:
        return cause
    log.error("%s failed", request.method, exc_info=error, extra={"method": request.method})
    return _internal(error, request)


def only_cancelled(group: BaseExceptionGroup[BaseException], request: codec.Request) -> BaseException:
    """What may go on: a handler that failed while it was being cancelled must not take the connection down."""
    cancelled, rest = group.split(trio.Cancelled)
    if cancelled is None or rest is None or rest.split(Exception)[1] is not None:
        return group
    log.error("%s failed while being cancelled", request.method, exc_info=rest, extra={"method": request.method})
    return cancelled


def _internal(error: Exception, request: codec.Request) -> TmuxOrcError:
    answer = TmuxOrcError(
        f"a defect in the supervisor: {type(error).__name__}: {error}",
        hint="please report it with the traceback in: tmux-orc daemon logs",
        details={"method": request.method},
    )
    answer.code = "internal"
    return answer


def no_greeting() -> TmuxOrcError:
    """The client did not say hello."""
    return codec.BadRequestError("the first request of a connection must be hello", code="no_greeting")


def mismatch(greeting: Greeting, hello: HelloReply) -> TmuxOrcError:
    return codec.ProtocolMismatchError(
        f"the supervisor ({hello.version}) speaks protocol {hello.protocol}, "
        f"this command ({greeting.version}) protocol {greeting.protocol}",
        details={"server_protocol": hello.protocol, "server_version": hello.version, "server_pid": hello.pid},
    )


def unknown(request: codec.Request) -> TmuxOrcError:
    message = f"the supervisor knows no request {request.method!r}"
    return codec.BadRequestError(message, rpc_code=codec.METHOD_NOT_FOUND, code="unknown_method")


def too_long(line: Overlong) -> TmuxOrcError:
    return codec.TooLargeError(f"a request is above the limit of {line.limit} bytes; it was not read")


def too_many(limit: int) -> TmuxOrcError:
    error = RefusedError(f"more than {limit} requests are under way on this connection")
    error.code = "too_many_requests"
    return error


def stopping() -> TmuxOrcError:
    error = WireError("the supervisor is stopping", hint="try again in a moment")
    error.code = "stopping"
    return error
