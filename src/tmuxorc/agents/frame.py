"""The frame that a terminal agent draws: where its composer is, what is in it, and what stands around it."""

import re
from functools import cache
from unicodedata import category, east_asian_width

from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.schema import Composer, Region
from tmuxorc.model import Frozen

pattern = cache(re.compile)
"""A compiled regular expression; kinds have few, and use them on every screen."""


TAIL = 20
"""Lines of the region of that name."""


class Box(Frozen):
    """A composer found on a screen: its `text` with rows joined by newlines, and its rows `top` to below `bottom`.

    `solid` is the text without what is faint or grey, where the kind asks for that.
    """

    text: str
    top: int
    bottom: int
    empty: bool
    solid: str = ""


def find_box(composer: Composer | None, screen: ScreenSeen) -> Box | None:
    """The composer nearest to the bottom of the screen, or None while none shows."""
    if composer is None:
        return None
    rows = _rows(composer, screen)
    return None if rows is None else _box(composer, screen, *rows)


def _rows(composer: Composer, screen: ScreenSeen) -> tuple[int, int] | None:
    if composer.open:
        return _open_rows(composer, screen)
    if composer.holds_cursor:
        return _rows_with_cursor(composer, screen)
    return _framed_rows(composer, screen.lines)


def _framed_rows(composer: Composer, lines: tuple[str, ...]) -> tuple[int, int] | None:
    for top in range(len(lines) - 1, -1, -1):
        if not pattern(composer.first).search(lines[top]):
            continue
        if composer.above and not (top and pattern(composer.above).search(lines[top - 1])):
            continue
        bottom = _end(composer, lines, top + 1)
        return None if bottom is None else (top, bottom)
    return None


def _rows_with_cursor(composer: Composer, screen: ScreenSeen) -> tuple[int, int] | None:
    """From the first row above the cursor to the end below it, without blank rows that are only there to look well."""
    lines, row = screen.lines, screen.cursor[1]
    shows = screen.cursor_visible or not composer.shows_cursor
    top = row if row < len(lines) and shows else -1
    while top >= 0 and not pattern(composer.first).search(lines[top]):
        inside = not lines[top] or (composer.rest and pattern(composer.rest).search(lines[top]))
        top = top - 1 if inside else -1
    if top < 0 or (composer.above and not (top and pattern(composer.above).search(lines[top - 1]))):
        return None
    bottom = _end(composer, lines, row + 1)
    bottom = len(lines) if bottom is None else bottom
    while bottom > row + 1 and not lines[bottom - 1]:
        bottom -= 1
    return top, bottom


def _end(composer: Composer, lines: tuple[str, ...], start: int) -> int | None:
    return next((row for row in range(start, len(lines)) if pattern(composer.end).search(lines[row])), None)


def _open_rows(composer: Composer, screen: ScreenSeen) -> tuple[int, int] | None:
    """The rows around the cursor; what is above them need not be on the screen."""
    lines, row = screen.lines, screen.cursor[1]
    if not screen.cursor_visible or row >= len(lines):
        return None
    is_ours = [bool(pattern(composer.rest).search(line) or pattern(composer.first).search(line)) for line in lines]
    if not is_ours[row]:
        return None
    top = next((above + 1 for above in range(row - 1, -1, -1) if not is_ours[above]), 0)
    bottom = next((below for below in range(row + 1, len(lines)) if not is_ours[below]), len(lines))
    framed = not composer.above or not top or pattern(composer.above).search(lines[top - 1])
    return (top, bottom) if framed else None


def _box(composer: Composer, screen: ScreenSeen, top: int, bottom: int) -> Box:
    return Box(
        text=_text(composer, screen.lines[top:bottom]),
        top=top,
        bottom=bottom,
        empty=_is_empty(composer, screen, top, bottom),
        solid=_text(composer, screen.solid[top:bottom]) if screen.solid else "",
    )


def _text(composer: Composer, rows: tuple[str, ...]) -> str:
    first = pattern(composer.first).sub("", rows[0], count=1)
    rest = (pattern(composer.rest).sub("", row, count=1) if composer.rest else row for row in rows[1:])
    return "\n".join((first, *rest))


def _is_empty(composer: Composer, screen: ScreenSeen, top: int, bottom: int) -> bool:
    """One empty row with the cursor at its place; a cursor elsewhere may stand behind blanks somebody typed."""
    lines = screen.solid or screen.lines
    blank = bool(pattern(composer.empty).search(lines[top]))
    wrapped = all(screen.lines[row] and not lines[row].strip() for row in range(top + 1, bottom))
    column = composer.cursor_column + (len(screen.lines[top]) if composer.open else 0)
    return blank and wrapped and screen.cursor == (column, top)


def region_lines(kind: Kind, screen: ScreenSeen, region: Region) -> tuple[str, ...]:
    """The lines that rules for `region` may look at."""
    if region is Region.TITLE:
        return (screen.title,)
    if region is Region.LAST:
        return tuple(line for line in screen.lines if line.strip())[-1:]
    if region is Region.TAIL:
        return tuple(line for line in screen.lines if line.strip())[-TAIL:]
    if region is Region.CURSOR:
        return screen.lines[screen.cursor[1] : screen.cursor[1] + 1]
    box = find_box(kind.composer, screen)
    if box is None or kind.composer is None:
        return ()
    if region is Region.FOOTER:
        return screen.lines[box.bottom :]
    top = box.top - 1 if kind.composer.above else box.top
    return screen.lines[max(0, top - 3) : top]


def find_dialog(kind: Kind, screen: ScreenSeen) -> str | None:
    """The line that shows a dialog is open, or None."""
    return next((line for line in screen.lines for dialog in kind.dialogs if pattern(dialog).search(line)), None)


def left_of_cursor(screen: ScreenSeen) -> str:
    """What stands on the cursor's line before the cursor, without trailing blanks."""
    column, row = screen.cursor
    line = screen.lines[row] if row < len(screen.lines) else ""
    cells, end = 0, 0
    while end < len(line) and cells < column:
        cells += char_cells(line[end])
        end += 1
    return line[:end].rstrip()


def char_cells(char: str) -> int:
    """How many cells a terminal gives to `char`."""
    if char < "\u0300":
        return 1
    if category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def exactly(line: str) -> str:
    """A pattern for tmux and Python alike that matches `line` and no other, whatever blanks are behind it.

    tmux does not take the blank that does not break for one, so that it is still there.
    """
    return "^" + re.sub(r"[][\\.^$*+?(){}|]", r"\\\g<0>", line) + "( |\u00a0)*$"
