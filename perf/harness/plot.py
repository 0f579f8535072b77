"""Line plots as SVG, without a library: axes from zero, a few ticks, a line for each series."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 80, 20, 50, 50
COLOURS = ("#0b62c4", "#c4620b", "#777777", "#0b9a4a")


@dataclass(frozen=True)
class Line:
    """One series of (x, y); `marks` shows where the points are."""

    name: str
    points: Sequence[tuple[float, float]]
    marks: bool = True


def draw(title: str, along: str, unit: str, lines: Sequence[Line]) -> str:
    """The plot as an SVG document."""
    right = max((x for line in lines for x, _ in line.points), default=1) or 1
    top = nice(max((y for line in lines for _, y in line.points), default=1) or 1)
    parts = [*_frame(title, along, unit, right, top)]
    for at, line in enumerate(lines):
        parts += _line(line, COLOURS[at % len(COLOURS)], right, top)
        parts.append(_text(LEFT + 10, TOP + 16 + 16 * at, line.name, fill=COLOURS[at % len(COLOURS)]))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        f' font-size="12">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def nice(value: float) -> float:
    """The next one, two or five times a power of ten."""
    power = 10.0 ** len(str(int(value))) if value >= 1 else 1.0
    while power / 10 >= value:
        power /= 10
    return next(power / 10 * step for step in (1, 2, 5, 10) if power / 10 * step >= value)


def _place(x: float, y: float, right: float, top: float) -> tuple[float, float]:
    across = LEFT + x / right * (WIDTH - LEFT - RIGHT)
    down = HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM)
    return round(across, 1), round(down, 1)


def _frame(title: str, along: str, unit: str, right: float, top: float) -> Iterable[str]:
    yield _text(LEFT, 24, title, weight="bold")
    yield _text(WIDTH - RIGHT, HEIGHT - 12, along, anchor="end")
    yield _text(LEFT, TOP - 8, unit, anchor="end")
    for step in range(5):
        x, _ = _place(right * step / 4, 0, right, top)
        _, y = _place(0, top * step / 4, right, top)
        yield f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="#dddddd"/>'
        yield _text(LEFT - 6, y + 4, f"{top * step / 4:.3g}", anchor="end")
        yield _text(x, HEIGHT - BOTTOM + 18, f"{right * step / 4:.4g}", anchor="middle")


def _line(line: Line, colour: str, right: float, top: float) -> Iterable[str]:
    places = [_place(x, y, right, top) for x, y in line.points]
    path = " ".join(f"{x},{y}" for x, y in places)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{2 if line.marks else 1}"/>'
    if line.marks:
        yield from (f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", fill: str = "#222222", weight: str = "normal"
) -> str:
    shown = escape(text)
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}">{shown}</text>'
