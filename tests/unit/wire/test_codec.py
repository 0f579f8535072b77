"""Messages to bytes and back."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc import errors
from tmuxorc.errors import ExitStatus, RemoteProtocolError, TmuxOrcError
from tmuxorc.wire import codec
from tmuxorc.wire.framing import MAX_LINE, MIB
from tmuxorc.wire.methods import METHODS, AnyMethod, ErrorInfo, RpcError, SendMessage

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(TEXT)
def test_a_request_comes_back_as_it_was(text: str) -> None:
    sent = SendMessage(target="a", text=text)
    line = codec.encode_request(7, "message.send", sent)
    assert line.index(b"\n") == len(line) - 1
    request = codec.decode_request(line)
    assert (request.id, request.method, codec.decode_params(request, SendMessage)) == (7, "message.send", sent)


@given(TEXT, TEXT, st.sampled_from(ExitStatus), st.dictionaries(TEXT, JSON, max_size=3))
def test_an_error_comes_back_as_it_was(message: str, hint: str, status: ExitStatus, details: dict[str, Any]) -> None:
    error = TmuxOrcError(message, hint=hint, details=details)
    error.code, error.exit_status = "x", status
    frame = codec.decode_frame(codec.encode_error(3, error))
    assert frame.error is not None
    back = codec.error_of(frame.error)
    assert (back.code, back.message, back.hint, back.details) == ("x", message, hint, details)
    assert back.exit_status is status


@given(st.binary(max_size=80) | JSON.map(msgspec.json.encode))
def test_any_line_is_a_request_or_a_bad_request(line: bytes) -> None:
    with suppress(codec.BadRequestError):
        assert codec.decode_request(line).jsonrpc == "2.0"


@given(st.sampled_from(sorted(METHODS)), JSON.map(msgspec.json.encode) | st.binary(max_size=30))
def test_any_parameters_fit_or_are_bad(name: str, params: bytes) -> None:
    request = codec.Request(jsonrpc="2.0", method=name, id=1, params=msgspec.Raw(params))
    method = METHODS[name]
    with suppress(codec.BadRequestError):
        assert isinstance(codec.decode_params(request, method.params), method.params)


@given(JSON.map(msgspec.json.encode) | st.binary(max_size=80))
def test_any_answer_is_a_frame_or_a_protocol_error(line: bytes) -> None:
    with suppress(RemoteProtocolError):
        codec.decode_frame(line)


@pytest.mark.parametrize("line", [b"[" * 100_000, b'{"params":' + b"[" * 100_000, b'{"a":' * 100_000, b'"\xff"', b"[]"])
def test_hostile_lines_are_bad_requests(line: bytes) -> None:
    with pytest.raises(codec.BadRequestError):
        codec.decode_request(line)


def test_a_misspelt_parameter_is_named() -> None:
    request = codec.decode_request(b'{"jsonrpc":"2.0","id":1,"method":"agent.info","params":{"taget":"a"}}')
    with pytest.raises(codec.BadRequestError, match="taget"):
        codec.decode_params(request, METHODS["agent.info"].params)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_every_method_has_types_that_can_be_decoded(method: AnyMethod) -> None:
    for of in (method.params, method.result, method.stream):
        assert of is None or codec.decoder(of) is codec.decoder(of)


NASTY: dict[str, TmuxOrcError] = {
    "lone surrogate": TmuxOrcError("no \udcff", hint="\ud800"),
    "not JSON": TmuxOrcError("no", details={"what": object()}),
    "too large": TmuxOrcError("x" * MAX_LINE),
    "endless": TmuxOrcError("no", details={}),
}
NASTY["endless"].details["self"] = NASTY["endless"].details


@pytest.mark.parametrize("what", sorted(NASTY))
def test_an_error_can_always_be_told(what: str) -> None:
    frame = codec.decode_frame(codec.encode_error("id", NASTY[what]))
    assert frame.error is not None
    assert frame.error.data == ErrorInfo(code="failed", exit_status=1)
    assert len(frame.error.message) <= MIB


def test_an_error_without_our_data_is_a_remote_error_all_the_same() -> None:
    error = codec.error_of(RpcError(-32603, "internal error"))
    assert isinstance(error, errors.RemoteError)
    assert (error.code, error.message, error.exit_status) == ("remote", "internal error", ExitStatus.FAILED)
