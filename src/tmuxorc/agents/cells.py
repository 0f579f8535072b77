"""Captured lines with their colours, read as text: all of it, and what is neither faint nor grey.

Programs draw placeholders and suggestions faint or grey; only so are they told from a draft.  This knows SGR and
nothing of any program.
"""

import re
from collections.abc import Iterable, Iterator

from tmuxorc.model import Frozen

_TOKEN = re.compile(
    r"\x1b\[(?P<sgr>[0-9:;]*)m"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x0e\x0f]"
    r"|(?P<text>[^\x1b\x0e\x0f]+)"
)
_BRIGHT_BLACK = 8
_CUBE, _GREYS = 16, 232
_LEVELS = (0, 95, 135, 175, 215, 255)
_SPREAD, _DARKEST, _LIGHTEST = 40, 0x50, 0xC0


class Cells(Frozen):
    """Lines of a screen: `lines` as they read, `solid` with blanks for what is faint; neither has trailing blanks.

    Without colours `solid` is empty.
    """

    lines: tuple[str, ...]
    solid: tuple[str, ...]


def read_cells(captured: Iterable[str], *, coloured: bool) -> Cells:
    """The lines of ``capture-pane``, with ``-e`` if `coloured`, top to bottom: colours go on into the next line.

    Faint is SGR 2, bright black, and any grey between dark and light.  A cursor painted in reverse onto the first
    character of faint text is part of that.
    """
    if not coloured:
        return Cells(lines=tuple(captured), solid=())
    pen = _Pen()
    rows = [_row(line, pen) for line in captured]
    return Cells(lines=tuple(plain for plain, _ in rows), solid=tuple(solid for _, solid in rows))


def plain(line: str) -> str:
    """`line` without its escape sequences."""
    return "".join(token["text"] or "" for token in _TOKEN.finditer(line))


def _row(line: str, pen: "_Pen") -> tuple[str, str]:
    runs = list(_runs(line, pen))
    faint = [muted for _, muted, _ in runs]
    for index, (text, _, reverse) in enumerate(runs[:-1]):
        cursor = reverse and len(text) == 1 and not text.isspace()
        faint[index] = faint[index] or (cursor and runs[index + 1][1] and not runs[index + 1][0].isspace())
    whole = "".join(text for text, _, _ in runs)
    solid = "".join(_blank(text) if muted else text for (text, _, _), muted in zip(runs, faint, strict=True))
    return whole.rstrip(), solid.rstrip()


def _runs(line: str, pen: "_Pen") -> Iterator[tuple[str, bool, bool]]:
    """Pieces of text with whether they are faint, and whether in reverse."""
    for token in _TOKEN.finditer(line):
        if token["sgr"] is not None:
            pen.set(token["sgr"])
        elif token["text"]:
            yield token["text"], pen.muted, pen.reverse


def _blank(text: str) -> str:
    """Blanks in place of `text`, as many characters."""
    return " " * len(text)


class _Pen:
    """What SGR sequences have set so far."""

    def __init__(self) -> None:
        self._faint = self._grey = self.reverse = False

    @property
    def muted(self) -> bool:
        return self._faint or self._grey

    def set(self, parameters: str) -> None:
        """One sequence's parameters; sub-parameters may be cut off with colons."""
        numbers = [int(part) if part.isdecimal() and len(part) < 9 else 0 for part in re.split("[;:]", parameters)]
        at = 0
        while at < len(numbers):
            at += self._one(numbers, at)

    def _one(self, numbers: list[int], at: int) -> int:
        """Take in the parameter at `at`; returns how many it is."""
        number = numbers[at]
        if number in (38, 48, 58):
            grey, length = _colour(numbers[at + 1 :])
            self._grey = grey if number == 38 else self._grey
            return length + 1
        if number == 0:
            self._faint = self._grey = self.reverse = False
        elif number in (2, 22):
            self._faint = number == 2
        elif number in (7, 27):
            self.reverse = number == 7
        elif 30 <= number <= 39 or 90 <= number <= 97:
            self._grey = number == 90
        return 1


def _colour(numbers: list[int]) -> tuple[bool, int]:
    """Whether what follows 38 is a grey, and how many numbers it takes."""
    match numbers:
        case [5, index, *_]:
            return _indexed_is_grey(index), 2
        case [2, red, green, blue, *_]:
            return _is_grey(red, green, blue), 4
        case _:
            return False, len(numbers)


def _indexed_is_grey(index: int) -> bool:
    if index < _CUBE:
        return index == _BRIGHT_BLACK
    if index >= _GREYS:
        return _is_grey(*[8 + 10 * (index - _GREYS)] * 3)
    red, rest = divmod(index - _CUBE, 36)
    return _is_grey(_LEVELS[red], _LEVELS[rest // 6], _LEVELS[rest % 6])


def _is_grey(red: int, green: int, blue: int) -> bool:
    """No colour to speak of, neither the black nor the white of plain text."""
    low, high = min(red, green, blue), max(red, green, blue)
    return high - low <= _SPREAD and low >= _DARKEST and high <= _LIGHTEST
