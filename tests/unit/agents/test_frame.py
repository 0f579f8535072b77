"""Composers found on screens: placeholders, those without a frame, those that look like the transcript."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.agents.cells import read_cells
from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.agents.frame import Box, exactly, find_box
from tmuxorc.agents.schema import Composer, Placeholder

FAINT = Composer(
    first="^❯ ?", rest="^  ", end="^─+$", empty="^❯$", cursor_column=2, placeholder=Placeholder.FAINT, holds_cursor=True
)
OPEN = Composer(first="^(ask)?> ?", rest="^(ask)?> ?", empty="^(ask)?>$", cursor_column=1, open=True)


def seen(*rows: str, cursor: tuple[int, int], visible: bool = True) -> ScreenSeen:
    """A screen as a capture with colours gives it."""
    cells = read_cells(rows, coloured=True)
    return ScreenSeen(at=0, lines=cells.lines, solid=cells.solid, cursor=cursor, cursor_visible=visible)


def box(composer: Composer, *rows: str, cursor: tuple[int, int], visible: bool = True) -> Box | None:
    """The composer found."""
    return find_box(composer, seen(*rows, cursor=cursor, visible=visible))


@pytest.mark.parametrize(
    ("rows", "cursor", "empty"),
    [
        (["❯"], (2, 0), True),
        (["❯ \x1b[2mTry this"], (2, 0), True),
        (["❯ \x1b[7mT\x1b[0;2mry this"], (2, 0), True),
        (["❯ \x1b[2mTry this, which", "  goes on here\x1b[0m"], (2, 0), True),
        (["❯ \x1b[2mTry this"], (3, 0), False),
        (["❯ Try this"], (2, 0), False),
        (["❯ T\x1b[2mry this"], (3, 0), False),
        (["❯", "", ""], (2, 0), True),
        (["❯", "", ""], (0, 1), False),
        (["❯", "", "  below"], (2, 0), False),
        (["❯ \x1b[2mTry this", "  \x1b[0mtyped"], (2, 0), False),
    ],
)
def test_a_placeholder_is_not_a_draft(rows: list[str], cursor: tuple[int, int], empty: bool) -> None:
    """One typed character is, and so is a cursor that is not at its place."""
    found = box(FAINT, *rows, "\x1b[0m────", "  footer", cursor=cursor)
    assert found is not None
    assert found.empty is empty


def test_a_suggestion_behind_a_draft_is_no_part_of_it() -> None:
    """Both are known: what stands there, and what was typed."""
    found = box(FAINT, "❯ /h\x1b[2melp\x1b[0m", "────", cursor=(4, 0))
    assert found is not None
    assert (found.text, found.solid, found.empty) == ("/help", "/h", False)


def test_a_message_in_the_transcript_is_no_composer() -> None:
    """It looks like one, but the cursor is elsewhere."""
    assert box(FAINT, "❯ said before", "────", "│ 1. Yes", cursor=(0, 2)) is None


def test_a_draft_with_blank_lines_is_one_draft() -> None:
    """Wherever in it the cursor stands, and with nothing below it either."""
    rows = ["❯ said before", "────", "", "❯ one", "", "    three"]
    for cursor in ((2, 3), (0, 4), (9, 5)):
        for below in (["────", "  footer"], [""]):
            found = box(FAINT, *rows, *below, cursor=cursor)
            assert found is not None
            assert (found.text, found.top, found.bottom) == ("one\n\n  three", 3, 6)


@pytest.mark.parametrize(
    ("rows", "cursor", "text"),
    [
        (["said", ">"], (2, 1), ""),
        (["said", "ask>"], (5, 1), ""),
        (["said", "> half a line"], (8, 1), "half a line"),
        (["said", "ask> one", "ask>", "ask> three"], (10, 3), "one\n\nthree"),
        (["> of a text", "> that is higher"], (16, 1), "of a text\nthat is higher"),
        (["> before", "", "> now", "  a menu"], (5, 2), "now"),
        (["> before", "a question?"], (11, 1), None),
    ],
)
def test_an_open_composer_is_the_rows_around_the_cursor(
    rows: list[str], cursor: tuple[int, int], text: str | None
) -> None:
    """Nothing is drawn below it, and its beginning may have left the screen."""
    found = box(OPEN, *rows, cursor=cursor)
    assert (found and found.text) == text
    assert found is None or found.empty is (text == "")


def test_an_open_composer_needs_a_cursor_that_shows() -> None:
    """A program at work hides it, and leaves the text where it was."""
    assert box(OPEN, ">", cursor=(2, 0), visible=False) is None
    assert box(OPEN, ">", cursor=(2, 7)) is None


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=30), st.text(max_size=10))
def test_an_exact_pattern_matches_its_line_only(line: str, more: str) -> None:
    """Whatever is special in it, and whatever blanks are behind it: lines are read without those."""
    assert re.search(exactly(line), line + " \u00a0 ")
    if more.strip("\n \u00a0"):
        assert not re.search(exactly(line), line + more.strip("\n"))
