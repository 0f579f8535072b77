"""Whether a screen shows one message: in the composer, in the transcript."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.delivery.screens import composer, terminal
from tests.unit.delivery.world import COLUMNS, DEMO, ROWS
from tmuxorc.agents.demo._paint import paint
from tmuxorc.agents.demo._session import Session
from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.delivery import TextError, check_text
from tmuxorc.delivery._look import Look


def holds(text: str, *rows: str) -> bool:
    """Whether a composer painted as `rows` is taken to hold `text`."""
    look = Look(DEMO, text)
    box = look.box(composer(*rows))
    assert box is not None
    return look.holds_ours(box)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("hello world", ["hello world"]),
        ("hello world", ["hello", "world"]),
        ("one\n\ttwo", ["one", "    two"]),
        ("a long text whose beginning has scrolled away", ["has scrolled away"]),
        ("x" * 5000, ["[Pasted 5000 bytes]"]),
        ("x" * 5000, ["[Pasted", "5000 bytes]"]),
        ("日本語", ["日本語"]),
        ("emoji 👩‍👩‍👧 here", ["emoji 👩 here"]),
        ("zero\u200bwidth", ["zerowidth"]),
    ],
)
def test_our_text_is_known_however_it_is_wrapped_or_shown(text: str, rows: list[str]) -> None:
    """Blanks, wrapping, scrolling, collapsing and odd characters make no difference."""
    assert holds(text, *rows)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("hello", [""]),
        ("hello", ["draft hello"]),
        ("hello", ["hello draft"]),
        ("hello", ["something else"]),
        ("hello", ["привет"]),
        ("hello", ["helloпривет"]),
        ("日本語", ["x日本語"]),
    ],
)
def test_a_draft_is_not_taken_for_our_text(text: str, rows: list[str]) -> None:
    """Nor our text with a draft beside it."""
    assert not holds(text, *rows)


@given(st.text(min_size=1, max_size=300))
def test_what_the_demo_agent_paints_of_a_pasted_text_is_known(text: str) -> None:
    """Any text that is accepted at all."""
    try:
        text = check_text(text)
    except TextError:
        return
    session = Session()
    session.press(("paste", text), 0.0)
    rows, cursor = paint(session, ROWS, COLUMNS, 0.0)
    assert cursor is not None
    screen = ScreenSeen(at=0, lines=tuple(row.rstrip() for row in rows), cursor=(cursor[1], cursor[0]))
    look = Look(DEMO, text)
    box = look.box(screen)
    assert box is not None
    assert look.holds_ours(box)


def test_entries_of_the_transcript_are_counted() -> None:
    """Whole messages only, over wrapped lines, never the composer's own line."""
    transcript = ("> hello", "  world", "> hello world again", "> hello world", "● hello world")
    assert Look(DEMO, "hello world").entries(composer("> hello world", transcript=transcript)) == 2
    assert Look(DEMO, "hello world").entries(terminal("$ ")) == 0


def test_a_long_entry_is_known_by_its_first_line() -> None:
    """Its end may not be on the screen."""
    text = "this is a first line that is long enough to be one of a kind\nand more"
    shown = ("> this is a first line that is long enough to be one of a kind",)
    assert Look(DEMO, text).entries(composer(transcript=shown)) == 1
