"""Quoting for tmux's parser, as far as it can be told without tmux; the round trip is in tests/tmux."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.tmux import Unsayable, quote
from tmuxorc.tmux._quote import command_line, sequence


def test_plain_text_stands_in_single_quotes():
    assert quote('$HOME #{x} ; \\ "') == "'$HOME #{x} ; \\ \"'"


def test_what_single_quotes_cannot_hold_is_said_in_double_quotes():
    assert quote("it's\r\n") == """'it'"'"'s'"\\r"''"\\n"''"""


@given(st.text())
def test_the_result_is_always_one_line(text: str):
    try:
        quoted = quote(text)
    except Unsayable:
        assert "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)
    else:
        assert "\n" not in quoted
        assert "\r" not in quoted


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x\udfffx"])
def test_what_tmux_cannot_hold_is_refused_with_its_own_code(text: str):
    with pytest.raises(Unsayable) as caught:
        quote(text)
    assert caught.value.code == "tmux_unsayable"


def test_bytes_that_are_not_utf8_travel_as_they_are():
    assert command_line(["x", b"\xfe", "\udcfe"]) == b"'x' '\xfe' '\xfe'"


def test_commands_in_sequence_share_a_line():
    assert sequence([("a", ";"), ("b",)]) == b"'a' ';' ; 'b'"
