from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.journal import _codec as codec
from tmuxorc.model import AgentSpec

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(ANY_TEXT)
def test_any_text_comes_back_as_it_was(text: str):
    assert codec.from_bytes(codec.to_bytes(text)) == text


@given(ANY_TEXT)
def test_printable_text_can_be_encoded_and_is_unchanged_if_it_could_be(text: str):
    shown = codec.printable(text)
    shown.encode()
    if not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        assert shown == text


@given(JSON)
def test_any_json_comes_back_as_it_was(value: object):
    assert codec.from_json(codec.to_json(value), object) == value


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_come_back_to_the_microsecond(at: datetime):
    assert codec.from_micros(codec.to_micros(at)) == at


def test_a_time_of_another_zone_is_the_same_moment():
    at = datetime.fromisoformat("2026-02-03T04:05:06.789+05:30")
    assert codec.from_micros(codec.to_micros(at)) == at
    assert codec.from_micros(codec.to_micros(at)).tzinfo == UTC


@pytest.mark.parametrize("cwd", ["/tmp", "/tmp/\udcff"])
def test_a_record_of_another_shape_is_an_error_however_it_was_encoded(cwd: str):
    text = codec.to_json(AgentSpec(name="a", cwd=cwd))
    assert codec.from_json(text, AgentSpec).cwd == cwd
    with pytest.raises(msgspec.ValidationError):
        codec.from_json(text.replace('"name"', '"nome"'), AgentSpec)
