"""The demo agent's picture: a session and a size in, rows of text and a cursor out.

Also the bytes that change one picture into the next, so that a turning spinner costs a few bytes a frame.
"""

from tmuxorc.agents.demo._session import FRAME_S, SPINNER, Dialog, Session

Picture = tuple[list[str], tuple[int, int] | None]
"""Exactly as many rows as the terminal has, and the cursor as (row, column) from 0, or None to hide it."""


def width(text: str) -> int:
    """Cells that `text` takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    if char < "\u0300":
        return 1
    import unicodedata  # not needed, and not loaded, by an agent that speaks ASCII

    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def clean(text: str) -> str:
    """`text` with nothing in it that a terminal would obey or could not encode."""
    text = text.expandtabs(4)
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c >= " " and not "\x7f" <= c < "\xa0" and not "\ud800" <= c <= "\udfff" else "?" for c in text)


def clip(text: str, columns: int) -> str:
    """As much of `text` as fits."""
    return wrap(text, columns)[0]


def wrap(text: str, columns: int) -> list[str]:
    """`text` cut into rows of at most `columns` cells; at least one row."""
    if text.isascii():
        return [text[i : i + columns] for i in range(0, len(text), columns)] or [""]
    rows: list[str] = []
    row, used = "", 0
    for char in text:
        cells = _cells(char)
        if used + cells > columns:
            rows.append(row)
            row, used = "", 0
        row += char
        used += cells
    return [*rows, row]


def paint(session: Session, rows: int, columns: int, now: float) -> Picture:
    """The whole screen: transcript on top, then the dialog or spinner, composer and footer."""
    columns = max(columns, 4)
    if session.dialog:
        bottom, cursor = _dialog(session.dialog, rows, columns), None
    else:
        bottom, cursor = _bottom(session, rows, columns, now)
    room = max(0, rows - len(bottom))
    top = _tail(session.transcript, room, columns)
    above = rows - len(bottom)
    return top + [""] * (room - len(top)) + bottom[-rows:], cursor and (cursor[0] + above, cursor[1])


def _tail(lines: list[str], room: int, columns: int) -> list[str]:
    """The last rows of the transcript, at most `room`."""
    rows: list[str] = []
    for line in reversed(lines):
        if len(rows) >= room:
            break
        rows[:0] = wrap(clean(line), columns)
    return rows[max(0, len(rows) - room) :] if room else []


def _dialog(dialog: Dialog, rows: int, columns: int) -> list[str]:
    mark = ("❯", " ") if dialog.choice else (" ", "❯")
    text = [
        " " + dialog.title,
        " " + dialog.question,
        f" {mark[0]} 1. Yes",
        f" {mark[1]} 2. No",
        " Enter to approve · Esc to refuse",
    ]
    return ["─" * columns, *(clip(clean(line), columns) for line in text)][-rows:]


def _bottom(session: Session, rows: int, columns: int, now: float) -> tuple[list[str], tuple[int, int]]:
    rule = "─" * columns
    draft, cursor = _composer(session.shown_draft(), max(1, rows // 3), columns)
    status = [clip(_status(session, now), columns)] if rows >= 6 else []
    lines = [*status, rule, *draft, rule, clip("  " + session.footer(), columns)]
    return lines, (cursor[0] + len(status) + 1, cursor[1])


def _status(session: Session, now: float) -> str:
    if not session.busy:
        return ""
    elapsed = max(0.0, now - session.busy_since)
    return f"{SPINNER[int(elapsed / FRAME_S) % len(SPINNER)]} Working… {int(elapsed)} s"


def _composer(text: str, height: int, columns: int) -> tuple[list[str], tuple[int, int]]:
    """The composer's last `height` rows; text begins in the third column, and the cursor stands behind it."""
    rows = [row for line in text.split("\n") for row in wrap(clean(line), columns - 3)]
    first = max(0, len(rows) - height)
    shown = ["  " + row for row in rows[first:]]
    shown[0] = "❯ " + shown[0][2:]
    return shown, (len(shown) - 1, width(shown[-1]))


def changes(old: list[str], new: Picture) -> str:
    """The escape sequences and text that turn the rows `old` into `new`; with no old rows, everything."""
    rows, cursor = new
    out = ["" if old else "\x1b[2J"]
    for index, row in enumerate(rows):
        if not old or index >= len(old) or old[index] != row:
            out.append(f"\x1b[{index + 1};1H{row}\x1b[K" if row else f"\x1b[{index + 1};1H\x1b[2K")
    out.append(f"\x1b[{cursor[0] + 1};{cursor[1] + 1}H\x1b[?25h" if cursor else "\x1b[?25l")
    return "".join(out)
