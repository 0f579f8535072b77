"""How values lie in the journal's columns: JSON, times, and text that no encoding was meant for."""

import json
from codecs import getincrementaldecoder
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from tmuxorc import jsontext

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_json(value: Any) -> str:
    """`value` as JSON text."""
    return jsontext.encode(value).decode()


def from_json(text: str, type_: type[T]) -> T:
    """The reverse of `to_json`; raises `msgspec.ValidationError` if the text says something else than a `type_`."""
    try:
        return msgspec.json.decode(text, type=type_)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(text), type_)


def to_bytes(text: str) -> bytes:
    """Any `str` at all, reversibly."""
    return text.encode("utf-8", "surrogatepass")


def from_bytes(data: bytes) -> str:
    """The reverse of `to_bytes`."""
    return data.decode("utf-8", "surrogatepass")


def from_bytes_cut(data: bytes) -> str:
    """`from_bytes` for the beginning of some text, without the character that may be cut in two at its end."""
    return getincrementaldecoder("utf-8")("surrogatepass").decode(data)


def printable(text: str) -> str:
    """`text` for a TEXT column that is shown and never sent on: what UTF-8 has no place for becomes an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def to_micros(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The reverse of `to_micros`, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)
