"""Draw what ``tmux capture-pane -e`` prints as an SVG picture; of escape sequences it knows colours and attributes.

tmux writes no others there.  Every run of equal looks gets its own place and length, so that columns stand where they
should in whatever monospaced font the reader has.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from unicodedata import combining, east_asian_width
from xml.sax.saxutils import escape

SGR = re.compile(r"\x1b\[([0-9;]*)m")

CELL_WIDTH, LINE_HEIGHT, FONT_SIZE, MARGIN = 8.4, 18.0, 14, 16.0
"""In pixels; a monospaced font of this size is about this wide."""

FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
BACKGROUND, FOREGROUND = "#14171c", "#d5d9e0"
COLOURS = ("#3b4048", "#ef7a85", "#8fc97a", "#e3bf6b", "#6fb3f2", "#cf8fe8", "#5cc2cd", "#d5d9e0")
"""Black, red, green, yellow, blue, magenta, cyan, white; readable on the background."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a run of characters is drawn; `colour` is an index into `COLOURS`, or None."""

    colour: int | None = None
    bold: bool = False
    dim: bool = False

    def after(self, code: int) -> "Look":
        """The look after one SGR parameter; one that is not known changes nothing."""
        if code == 0:
            return Look()
        if code in (1, 2):
            return replace(self, **{"bold" if code == 1 else "dim": True})
        if code == 22:
            return replace(self, bold=False, dim=False)
        if code == 39:
            return replace(self, colour=None)
        return replace(self, colour=code % 10) if code // 10 in (3, 9) and code % 10 < 8 else self

    def attributes(self) -> str:
        """The look as attributes of SVG text."""
        said = [f' fill="{COLOURS[self.colour]}"'] if self.colour is not None else []
        said += [' font-weight="bold"'] if self.bold else []
        return "".join([*said, ' opacity="0.6"'] if self.dim else said)


def cells(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def runs(captured: str) -> Iterator[tuple[int, int, str, Look]]:
    """Line, column, text and look of every run that shows something."""
    look = Look()
    for number, line in enumerate(captured.split("\n")):
        column = 0
        for index, part in enumerate(SGR.split(line)):
            if index % 2:
                for code in part.split(";"):
                    look = look.after(int(code or 0))
                continue
            for word in re.finditer(r"\S+(?: \S+)*", part):
                yield number, column + cells(part[: word.start()]), word[0], look
            column += cells(part)


def plain(captured: str) -> str:
    """The text alone."""
    return SGR.sub("", captured)


def draw(captured: str, title: str) -> str:
    """The picture."""
    lines = plain(captured).split("\n")
    width = 2 * MARGIN + CELL_WIDTH * max(80, *map(cells, lines))
    height = 2 * MARGIN + LINE_HEIGHT * len(lines)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
            f'<g font-family="{FONT}" font-size="{FONT_SIZE}" fill="{FOREGROUND}" xml:space="preserve">',
            *(_text(*run) for run in runs(captured)),
            "</g>",
            "</svg>\n",
        ]
    )


def _text(line: int, column: int, text: str, look: Look) -> str:
    x, y = MARGIN + CELL_WIDTH * column, MARGIN + LINE_HEIGHT * (line + 0.75)
    length = f'textLength="{CELL_WIDTH * cells(text):g}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x:g}" y="{y:g}" {length}{look.attributes()}>{escape(text)}</text>'
