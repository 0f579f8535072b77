"""The numbered stream of events.  Plain SQL on a connection."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from tmuxorc.journal._codec import from_json, from_micros, printable, to_json, to_micros
from tmuxorc.journal._messages import addressed
from tmuxorc.journal._records import EventDraft
from tmuxorc.model import EventView

_SELECT = "SELECT seq, at, type, subject, generation, data FROM event"
_FORGET_AT_LEAST = 16


def append(db: sqlite3.Connection, drafts: Sequence[EventDraft], keep: int) -> tuple[EventView, ...]:
    """Add `drafts` with the next numbers, and forget the oldest beyond `keep`."""
    events = tuple(_add(db, draft) for draft in drafts)
    if events:
        _forget(db, events[-1].seq - keep, 2 * len(events) + _FORGET_AT_LEAST)
    return events


def events(db: sqlite3.Connection, *, since: int | None, limit: int, subject: str | None) -> tuple[EventView, ...]:
    """Oldest first: the first `limit` after the number `since`, or without it the newest `limit`."""
    conditions, values = ["seq > ?"], list[Any]([since or 0])
    if subject is not None:
        conditions.append(addressed("subject", subject, values))
    order = "DESC" if since is None else "ASC"
    where = " AND ".join(conditions)
    rows = db.execute(f"{_SELECT} WHERE {where} ORDER BY seq {order} LIMIT ?", (*values, limit)).fetchall()
    return tuple(_view(row) for row in (reversed(rows) if since is None else rows))


def last_seq(db: sqlite3.Connection) -> int:
    """The number of the newest event there has ever been; 0 before the first."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'event'").fetchone()
    return 0 if row is None else int(row[0])


def _add(db: sqlite3.Connection, draft: EventDraft) -> EventView:
    subject, data = printable(draft.subject), to_json(draft.data)
    done = db.execute(
        "INSERT INTO event (at, type, subject, generation, data) VALUES (?, ?, ?, ?, ?)",
        (to_micros(draft.at), draft.type, subject, draft.generation, data),
    )
    return EventView(
        seq=done.lastrowid or 0,
        at=draft.at,
        type=draft.type,
        subject=subject,
        generation=draft.generation,
        data=draft.data,
    )


def _forget(db: sqlite3.Connection, upto: int, at_most: int) -> None:
    """Delete the oldest up to the number `upto`, a few at a time so that no write has to wait long."""
    db.execute(
        "DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE seq <= ? ORDER BY seq LIMIT ?)", (upto, at_most)
    )


def _view(row: tuple[Any, ...]) -> EventView:
    seq, at, type_, subject, generation, data = row
    return EventView(
        seq=seq,
        at=from_micros(at),
        type=type_,
        subject=subject,
        generation=generation,
        data=from_json(data, dict[str, Any]),
    )
