"""What may be in a message, and how it is framed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.delivery.world import DEMO, message
from tmuxorc.agents.kinds import load_kinds
from tmuxorc.delivery import MAX_BYTES, TextError, check_sender, check_text, framed
from tmuxorc.errors import ExitStatus
from tmuxorc.names import BadNameError

PLAIN = ("a", " a ", "tab\there", "two\nlines\n", "日本語 👩‍👩‍👧 é", "-x", "$HOME `id` 'q' \"q\" \\", "#{pane_id};")


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_is_kept_as_it_is(text: str) -> None:
    """Tabs, newlines, blanks at the edges, every script."""
    assert check_text(text) == text


def test_line_ends_of_windows_become_newlines() -> None:
    """A composer cannot be given the difference."""
    assert check_text("a\r\nb\r\n") == "a\nb\n"


@pytest.mark.parametrize("sender", ["operator", "alice", "main/alice"])
def test_a_sender_is_a_name_or_an_address(sender: str) -> None:
    assert check_sender(sender) == sender


@pytest.mark.parametrize("sender", ["", "*", "main/*", "a b", "a\nb", "x\x1b[201~\r", "main/a]\n/exit"])
def test_a_sender_that_would_act_on_the_terminal_is_refused(sender: str) -> None:
    """It stands in the first line of what is typed."""
    with pytest.raises(BadNameError):
        check_sender(sender)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "message_empty"),
        (" \n\t", "message_empty"),
        ("a\0b", "message_control"),
        ("a\x1b[2J", "message_control"),
        ("a\rb", "message_control"),
        ("a\bb", "message_control"),
        ("a\x7fb", "message_control"),
        ("a\x9bb", "message_control"),
        ("a\udc80b", "message_surrogate"),
    ],
)
def test_what_is_no_text_is_refused_with_its_own_code(text: str, code: str) -> None:
    """Refused, never cleaned silently; the error says where and what to do."""
    with pytest.raises(TextError) as caught:
        check_text(text)
    assert caught.value.code == code
    assert caught.value.exit_status is ExitStatus.REFUSED
    assert caught.value.hint


@pytest.mark.parametrize("letter", ["x", "é"])
def test_the_limit_is_in_bytes_and_inclusive(letter: str) -> None:
    """1 MiB is accepted, one byte more is not."""
    most = letter * (MAX_BYTES // len(letter.encode()))
    assert check_text(most) == most
    with pytest.raises(TextError) as caught:
        check_text(most + "x")
    assert caught.value.code == "message_too_large"


@given(st.text())
def test_whatever_is_accepted_can_be_pasted(text: str) -> None:
    """Valid UTF-8 without a control byte but tab and newline."""
    try:
        data = check_text(text).encode()
    except TextError:
        return
    assert not [byte for byte in data if (byte < 32 and byte not in b"\t\n") or byte == 127]


@pytest.mark.parametrize(
    ("sender", "text", "expected"),
    [
        ("operator", "hello", "hello"),
        ("main/bob", "hello", "[m-7 from main/bob]\nhello"),
        ("operator", "/help", "[m-7 from operator]\n/help"),
        ("operator", "ends in \\", "ends in \\\n[end of m-7]"),
        ("main/bob", "\\", "[m-7 from main/bob]\n\\\n[end of m-7]"),
    ],
)
def test_a_frame_where_it_is_needed(sender: str, text: str, expected: str) -> None:
    """A person's words are theirs; another agent's say who speaks; nothing special stands first or last."""
    assert framed(DEMO, message(7, text, sender=sender)) == expected


@pytest.mark.parametrize("kind", ["shell", "command"])
def test_programs_get_the_bare_text(kind: str) -> None:
    """A frame would be run as a command."""
    assert framed(load_kinds()[kind], message(7, "/bin/true", sender="main/bob")) == "/bin/true"
