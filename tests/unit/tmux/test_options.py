"""Our options: values that no listing can garble."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.tmux._options import name_of, pack, parse_shown, unpack


@given(st.text(st.characters()))
def test_any_value_comes_back(value: str):
    assert unpack(pack(value)) == value


@given(st.text())
def test_a_packed_value_is_one_plain_word(value: str):
    assert all(c.isascii() and (c.isalnum() or c in "_.-~/:@=+,%") for c in pack(value))


def test_only_our_options_are_read_from_a_listing():
    lines = (
        b"@tmuxorc_agent main/alice",
        b'@tmuxorc_spec "a%20b"',
        b"remain-on-exit on",
        b"@other x",
        b"@tmuxorc_bad two words",
        b"\xff",
    )
    assert parse_shown(lines) == {"agent": "main/alice", "spec": "a b"}


@pytest.mark.parametrize("key", ["", "a b", "Ä", "1x", "a-b", "x\n"])
def test_a_key_that_is_none_is_a_defect(key: str):
    with pytest.raises(ValueError, match="not an option key"):
        name_of(key)
