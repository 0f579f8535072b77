"""Names of keys, checked before tmux would type an unknown one as text."""

import pytest

from tmuxorc.tmux.keys import UnknownKeyError, check_key


@pytest.mark.parametrize(
    "key", ["a", "é", "^", "-", "C-c", "^c", "M-x", "C-M-x", "Enter", "F12", "KPEnter", "S-Up", "C--"]
)
def test_a_key_of_tmux_is_taken_as_it_is(key: str) -> None:
    assert check_key(key) == key


@pytest.mark.parametrize(("typed", "meant"), [("enter", "Enter"), ("ESCAPE", "Escape"), ("c-up", "c-Up")])
def test_case_does_not_matter_in_names(typed: str, meant: str) -> None:
    assert check_key(typed) == meant


@pytest.mark.parametrize("key", ["Entr", "NoSuchKey", "", "F99", "C-", "hello", "\x03", "Enter\n"])
def test_what_tmux_would_type_as_text_is_refused(key: str) -> None:
    with pytest.raises(UnknownKeyError):
        check_key(key)


def test_the_nearest_key_is_named() -> None:
    with pytest.raises(UnknownKeyError) as caught:
        check_key("Entr")
    assert caught.value.hint == "did you mean Enter?"
