"""JSON-RPC 2.0 messages to bytes and back, with typed parameters and results.  No I/O, no clock.

A request is ``{"jsonrpc":"2.0","id":1,"method":"agent.info","params":{…}}``.  Objects of a stream come before the
response as notifications ``{"jsonrpc":"2.0","method":"event.follow","params":{"request":1,"item":{…}}}``.
Typed decoders are built when first needed: a short command pays for the one it uses.
"""

from typing import Any, Literal

import msgspec

from tmuxorc.errors import ExitStatus, LocalProtocolError, RemoteError, RemoteProtocolError, TmuxOrcError, UsageError
from tmuxorc.wire.framing import MAX_LINE, MIB
from tmuxorc.wire.methods import ErrorInfo, RpcError

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
APPLICATION_ERROR = -32000

RequestId = int | str | None

# Deep nesting raises RecursionError and bytes that are not UTF-8 UnicodeDecodeError: neither is a DecodeError.
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_EMPTY = msgspec.Raw(b"{}")
_ABSENT = msgspec.Raw(b"")


class TooLargeError(LocalProtocolError):
    """A message of ours would be longer than the other side reads."""

    code = "too_large"
    exit_status = ExitStatus.REFUSED
    default_hint = f"a request or answer may hold up to {MAX_LINE // MIB} MiB"


class NotUnicodeError(UsageError):
    """Text that has no UTF-8 form: lone surrogates, as Python makes them of undecodable bytes."""

    code = "not_unicode"
    default_hint = "send text that is valid UTF-8"


class ProtocolMismatchError(RemoteProtocolError):
    """The two sides speak different versions of the protocol."""

    code = "protocol_mismatch"
    default_hint = "restart the supervisor, agents stay: tmux-orc daemon restart"


class BadRequestError(UsageError):
    """A request that is not JSON, not a request, or has parameters of a wrong type; `rpc_code` is JSON-RPC's number."""

    code = "bad_request"

    def __init__(self, message: str, *, rpc_code: int = INVALID_REQUEST, code: str = "bad_request") -> None:
        super().__init__(message)
        self.code = code
        self.rpc_code = rpc_code


class Request(msgspec.Struct, frozen=True):
    """A request as it came; `params` is decoded once the method is known."""

    jsonrpc: Literal["2.0"]
    method: str
    id: int | str
    params: msgspec.Raw = _EMPTY


class Frame(msgspec.Struct, frozen=True):
    """Anything the supervisor may send: a response has `id`, a notification `method`."""

    id: int | str | None = None
    method: str | None = None
    params: msgspec.Raw = _ABSENT
    result: msgspec.Raw = _ABSENT
    error: RpcError | None = None


class Progress(msgspec.Struct, frozen=True):
    """Parameters of a notification: an object of the stream that belongs to `request`."""

    request: int | str
    item: msgspec.Raw


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def decoder(of: Any) -> msgspec.json.Decoder[Any]:
    """The decoder of a type, built on first use."""
    found = _decoders.get(of)
    if found is None:
        found = _decoders[of] = msgspec.json.Decoder(of)
    return found


def _encode(message: dict[str, Any]) -> bytes:
    try:
        line = msgspec.json.encode(message)
    except UnicodeEncodeError as error:
        raise NotUnicodeError(f"text holds {error.object[error.start]!a}, which is not a character") from None
    if len(line) > MAX_LINE:
        raise TooLargeError(f"a message of {len(line)} bytes is above the limit of {MAX_LINE}")
    return line + b"\n"


# --- the client's side ----------------------------------------------------------------------------------------------


def encode_request(request_id: int | str, method: str, params: object) -> bytes:
    """One request as a line.  Raises TooLargeError or NotUnicodeError."""
    return _encode({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})


def decode_frame(line: bytes) -> Frame:
    """A line of the supervisor's.  Raises RemoteProtocolError."""
    frame: Frame = decode_from_peer(line, Frame)
    return frame


def decode_from_peer(data: bytes | msgspec.Raw, of: Any) -> Any:
    """Part of an answer as the type it must have.  Raises RemoteProtocolError."""
    try:
        return decoder(of).decode(data)
    except _UNDECODABLE as error:
        raise RemoteProtocolError(f"cannot read the supervisor's answer: {error}") from error


def error_of(error: RpcError) -> TmuxOrcError:
    """The exception an error response stands for."""
    info = error.data or ErrorInfo(code="remote", exit_status=ExitStatus.FAILED)
    if info.code == ProtocolMismatchError.code:
        return ProtocolMismatchError(error.message, details=info.details)
    known = info.exit_status in ExitStatus._value2member_map_
    status = info.exit_status if known else ExitStatus.FAILED
    return RemoteError(info.code, error.message, exit_status=status, hint=info.hint, details=info.details)


# --- the supervisor's side ------------------------------------------------------------------------------------------


def decode_request(line: bytes) -> Request:
    """A line of a client's.  Raises BadRequestError."""
    try:
        request: Request = decoder(Request).decode(line)
    except msgspec.ValidationError as error:
        raise BadRequestError(f"not a JSON-RPC 2.0 request: {error}") from None
    except _UNDECODABLE as error:
        raise BadRequestError(f"not JSON: {error}", rpc_code=PARSE_ERROR, code="not_json") from None
    return request


def decode_params(request: Request, of: Any) -> Any:
    """The parameters of a request as the method's own type.  Raises BadRequestError."""
    try:
        return decoder(of).decode(request.params)
    except _UNDECODABLE as error:
        message = f"bad parameters for {request.method}: {error}"
        raise BadRequestError(message, rpc_code=INVALID_PARAMS, code="bad_params") from None


def encode_result(request_id: RequestId, result: object) -> bytes:
    """A response.  Raises TooLargeError, NotUnicodeError, or TypeError for what JSON cannot hold."""
    return _encode({"jsonrpc": "2.0", "id": request_id, "result": result})


def encode_progress(request: Request, item: object) -> bytes:
    """A notification with one object of the stream; raises as `encode_result` does."""
    params = {"request": request.id, "item": item}
    return _encode({"jsonrpc": "2.0", "method": request.method, "params": params})


def encode_error(request_id: RequestId, error: TmuxOrcError) -> bytes:
    """An error response; never fails, whatever the error's text and details hold."""
    told = rpc_error(error)
    try:
        return _encode_rpc_error(request_id, told)
    except (LocalProtocolError, UsageError, TypeError, ValueError, RecursionError):
        bare = ErrorInfo(code=error.code, exit_status=int(error.exit_status))
        return _encode_rpc_error(request_id, RpcError(told.code, ascii(error.message)[1:-1][:MIB], bare))


def rpc_error(error: TmuxOrcError) -> RpcError:
    """The error as it travels; `error_of` is its inverse."""
    info = ErrorInfo(code=error.code, exit_status=int(error.exit_status), hint=error.hint, details=error.details)
    number = error.rpc_code if isinstance(error, BadRequestError) else APPLICATION_ERROR
    return RpcError(number, error.message, info)


def _encode_rpc_error(request_id: RequestId, error: RpcError) -> bytes:
    return _encode({"jsonrpc": "2.0", "id": request_id, "error": error})
