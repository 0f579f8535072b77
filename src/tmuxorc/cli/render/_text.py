"""Drawing text for a terminal: what it can show, colours, tables that fit, times in words.  Knows no result type."""

import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from tmuxorc.cli._output import terminal_width as width

COLOURS = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}

STATE_COLOURS = {
    "starting": "cyan",
    "idle": "green",
    "busy": "blue",
    "blocked": "yellow",
    "limited": "magenta",
    "failed": "red",
    "exited": "dim",
    "unknown": "dim",
}


def has_colour() -> bool:
    """Whether standard output is a terminal that may be coloured (https://no-color.org)."""
    return on_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def on_terminal() -> bool:
    """Whether a person watches standard output."""
    return sys.stdout.isatty()


def paint(text: str, colour: str | None) -> str:
    """The text in a colour, if this is the place for colours."""
    if colour is None or not has_colour():
        return text
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"


def clean(text: str) -> str:
    """One line that cannot move the cursor: what agents and people wrote is shown, never obeyed."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _seen(c) for c in text)


def _seen(character: str) -> str:
    return " " if character in "\n\t" else ascii(character)[1:-1]


def lines_of(text: str) -> list[str]:
    """The lines of a text, each `clean`."""
    return [clean(line.expandtabs(4)) for line in text.split("\n")]


def columns(text: str) -> int:
    """How many cells a line takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def cut(text: str, room: int) -> str:
    """The text in at most `room` cells, with an ellipsis where something is missing."""
    if columns(text) <= room:
        return text
    while text and columns(text) > room - 1:
        text = text[:-1]
    return f"{text}…" if room > 0 else ""


def pad(text: str, room: int) -> str:
    """The text in exactly `room` cells."""
    shown = cut(text, room)
    return shown + " " * (room - columns(shown))


class Cell:
    """One field of a table, with its colour."""

    __slots__ = ("colour", "text")

    def __init__(self, text: object, colour: str | None = None) -> None:
        self.text = clean(str(text))
        self.colour = colour


def table(head: Sequence[str], rows: Iterable[Sequence[Cell | str]], *, flexible: Sequence[str] = ()) -> str:
    """A table that fits the terminal: columns named in `flexible` give way first, then the widest."""
    cells = [[c if isinstance(c, Cell) else Cell(c) for c in row] for row in rows]
    natural = [max([len(title), *(columns(row[i].text) for row in cells)]) for i, title in enumerate(head)]
    rooms = _fit(natural, [title in flexible for title in head], width() - 2 * (len(head) - 1))
    lines = [_line([Cell(title, "dim") for title in head], rooms)]
    return "\n".join([*lines, *(_line(row, rooms) for row in cells)])


def _fit(rooms: list[int], flexible: list[bool], space: int) -> list[int]:
    while sum(rooms) > space:
        widest = max(range(len(rooms)), key=lambda i: (rooms[i] > 8, flexible[i] and rooms[i] > 1, rooms[i]))
        if rooms[widest] <= 1:
            break
        rooms[widest] -= 1
    return rooms


def _line(cells: Sequence[Cell], rooms: Sequence[int]) -> str:
    *front, last = [paint(pad(c.text, room), c.colour) for c, room in zip(cells, rooms, strict=True)]
    return "  ".join([*front, last if has_colour() else last.rstrip()]).rstrip()


def fields(pairs: Iterable[tuple[str, object]]) -> str:
    """Names and values, one pair a line; pairs without a value are left out."""
    said = [(name, str(value)) for name, value in pairs if value not in (None, "", ())]
    room = max((len(name) for name, _ in said), default=0)
    return "\n".join(_field(name, value, room) for name, value in said)


def _field(name: str, value: str, room: int) -> str:
    first, *more = lines_of(value)
    return "\n".join([f"{paint(f'{name:<{room}}', 'dim')}  {first}", *(f"{'':<{room}}  {line}" for line in more)])


def state(name: str) -> Cell:
    """An agent's state in its colour."""
    return Cell(name, STATE_COLOURS.get(name))


def ago(when: datetime) -> str:
    """How long it has been, in one number: ``12s``, ``5m``, ``3h``, ``2d``."""
    return span((datetime.now(UTC) - when).total_seconds())


def until(when: datetime) -> str:
    """How long it will be, as `ago` says it."""
    return span((when - datetime.now(UTC)).total_seconds())


def span(seconds: float) -> str:
    """A time in one number and its unit."""
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "m"), (86400, 3600, "h")):
        if seconds < limit:
            return f"{max(int(seconds / size), 0)}{unit}"
    return f"{int(seconds / 86400)}d"


def clock(when: datetime) -> str:
    """Date and time of day where the reader is."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def many(count: int, noun: str) -> str:
    """``1 restart``, ``2 restarts``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def counts(numbers: dict[str, int]) -> str:
    """``3 idle, 1 busy``, without what there is none of."""
    return ", ".join(f"{n} {name}" for name, n in numbers.items() if n) or "none"
