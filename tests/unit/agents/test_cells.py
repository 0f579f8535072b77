"""Captured lines with their colours: what reads as text, and what is faint or grey."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.agents.cells import plain, read_cells

TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)
SGR = st.sampled_from(
    ["0", "", "1", "2", "22", "7", "27", "31", "39", "90", "38;5;8", "38;5;248", "38;5;231", "38;2;1;2;3", "48;5;240"]
)
PIECES = st.lists(st.one_of(TEXT, SGR.map(lambda numbers: f"\x1b[{numbers}m")), max_size=12)


def solid(*lines: str) -> tuple[str, ...]:
    """What is neither faint nor grey."""
    return read_cells(lines, coloured=True).solid


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("> typed", "> typed"),
        ("> \x1b[2mTry this\x1b[0m", ">"),
        ("> \x1b[2mTry\x1b[22m this", ">     this"),
        ("> \x1b[90mhint\x1b[39m x", ">      x"),
        ("> \x1b[38;5;248mhint", ">"),
        ("> \x1b[38;5;8mhint", ">"),
        ("> \x1b[38;5;102mhint", ">"),
        ("> \x1b[38;2;128;128;128mhint", ">"),
        ("> \x1b[38:2:153:153:153mhint", ">"),
        ("> \x1b[38;2;108;112;134mhint", ">"),
        ("> \x1b[38;5;231mtyped", "> typed"),
        ("> \x1b[38;5;232mtyped", "> typed"),
        ("> \x1b[38;5;183mtyped", "> typed"),
        ("> \x1b[38;2;238;238;238mtyped", "> typed"),
        ("> \x1b[38;2;30;30;30mtyped", "> typed"),
        ("> \x1b[48;5;244mtyped on grey", "> typed on grey"),
        ("> \x1b[1;2;38;5;9mfaint red", ">"),
        ("> \x1b[38mtyped", "> typed"),
        ("> \x1b[38;5mtyped", "> typed"),
        ("> \x1b[7mT\x1b[0;2mry this", ">"),
        ("> \x1b[7m \x1b[0;2mTry this", ">"),
        ("> \x1b[7mT\x1b[0m", "> T"),
        ("> \x1b[7mT\x1b[0mry", "> Try"),
        ("> /h\x1b[7me\x1b[0;2mlp", "> /h"),
        ("> \x1b[7mT\x1b[0;2m  ", "> T"),
    ],
)
def test_faint_and_grey_text_is_blanked_out(line: str, found: str) -> None:
    """A cursor on the first character of faint text goes with it; one on a typed character does not."""
    assert solid(line) == (found,)


def test_colours_go_on_into_the_next_line() -> None:
    """As tmux writes them."""
    assert solid("\x1b[2mfaint", "still", "\x1b[0mtyped") == ("", "", "typed")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ end", "link end"),
        ("\x0eqqq\x0f", "qqq"),
        ("\x1b(B\x1b[Kx\x1b", "x"),
        ("a\x1b[3", "a3"),
    ],
)
def test_other_sequences_are_no_text(line: str, text: str) -> None:
    """Hyperlinks, character sets, whatever is cut off."""
    assert read_cells([line], coloured=True).lines == (text,)
    assert plain(line) == text


def test_without_colours_nothing_is_known_to_be_faint() -> None:
    """The lines are what was captured."""
    cells = read_cells(["> x"], coloured=False)
    assert (cells.lines, cells.solid) == (("> x",), ())


@given(st.lists(PIECES.map("".join), max_size=6))
def test_plain_text_is_what_is_left_of_the_pieces(lines: list[str]) -> None:
    """Solid text has each of its characters where the plain text has it, and blanks elsewhere."""
    cells = read_cells(lines, coloured=True)
    assert cells.lines == tuple(plain(line).rstrip() for line in lines)
    for whole, left in zip(cells.lines, cells.solid, strict=True):
        padded = left.ljust(len(whole))
        assert len(padded) == len(whole)
        assert all(there in (char, " ") for char, there in zip(whole, padded, strict=True))


@given(st.text())
def test_anything_can_be_read(line: str) -> None:
    """And nothing of what is no control character is lost after a reset."""
    cells = read_cells([line, "\x1b[0mtyped"], coloured=True)
    assert cells.solid[1].endswith("typed")
