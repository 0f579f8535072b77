"""Messages and how far they have come.  Plain SQL on a connection."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from tmuxorc.errors import NotFoundError
from tmuxorc.journal._codec import (
    from_bytes,
    from_bytes_cut,
    from_json,
    from_micros,
    printable,
    to_bytes,
    to_json,
    to_micros,
)
from tmuxorc.journal._records import NewMessage
from tmuxorc.model import MessageStep, MessageView, Rung, Terms

_SELECT = (
    "SELECT id, sender, target, rung, detail, created_at, updated_at, history, terms, text"
    " FROM message JOIN body ON body.message = message.id"
)
_ACCEPTED = "in the journal"
_FORGET_AT_LEAST = 16

LISTED_TEXT_BYTES = 6 * 1024 * 1024
"""What a list carries of texts: a message may have a mebibyte, and an answer on the socket is limited too."""


def accept(db: sqlite3.Connection, messages: Sequence[NewMessage], at: datetime) -> tuple[MessageView, ...]:
    """Add `messages`, with ids in their order; for one with a `dedup` that is there already that one is given."""
    return tuple(_known(db, message) or _add(db, message, at) for message in messages)


def _known(db: sqlite3.Connection, new: NewMessage) -> MessageView | None:
    if not new.terms.dedup:
        return None
    query = f"{_SELECT} WHERE target = ? AND dedup = ?"
    row = db.execute(query, (new.target, printable(new.terms.dedup))).fetchone()
    return None if row is None else _view(row)


def advance(db: sqlite3.Connection, id_: str, *, rung: Rung, evidence: str, detail: str, at: datetime) -> MessageView:
    """Move a message to `rung`; another reason for the rung it stands on replaces the last and is no step of its own.

    So an agent whose screen says something else every second makes no endless history.  Raises `NotFoundError`.
    """
    before = message(db, id_)
    last, earlier = before.history[-1], before.history
    step = MessageStep(rung=rung, at=at, evidence=printable(evidence))
    if last.rung is rung:
        step, earlier = msgspec.structs.replace(step, at=last.at), before.history[:-1]
    after = msgspec.structs.replace(
        before, rung=rung, detail=printable(detail), updated_at=at, history=(*earlier, step)
    )
    db.execute(
        "UPDATE message SET rung = ?, settled = ?, detail = ?, updated_at = ?, history = ? WHERE id = ?",
        (rung.value, rung.settled, after.detail, to_micros(at), to_json(after.history), _number(id_)),
    )
    return after


def message(db: sqlite3.Connection, id_: str) -> MessageView:
    """One message; raises `NotFoundError`."""
    row = db.execute(f"{_SELECT} WHERE id = ?", (_number(id_),)).fetchone()
    if row is None:
        raise NotFoundError(f"no message '{id_}'", hint="see: tmux-orc message list", details={"message": id_})
    return _view(row)


def messages(
    db: sqlite3.Connection, *, target: str | None, rungs: Sequence[Rung], limit: int
) -> tuple[MessageView, ...]:
    """The newest `limit` messages to `target` (``team/name``, ``team/*`` or None) on one of `rungs`, newest last."""
    conditions, values = ["1"], list[Any]()
    if target is not None:
        conditions.append(addressed("target", target, values))
    if rungs:
        conditions.append(f"rung IN ({', '.join('?' * len(rungs))})")
        values.extend(rung.value for rung in rungs)
    query = f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?"
    rows = db.execute(query, (*values, limit)).fetchall()
    excess = sum(len(row[-1]) for row in rows) > LISTED_TEXT_BYTES
    room = LISTED_TEXT_BYTES // len(rows) if excess else None
    return tuple(_view(row, room) for row in reversed(rows))


def unsettled(db: sqlite3.Connection) -> tuple[MessageView, ...]:
    """All that something is still to be done for, oldest first."""
    return tuple(_view(row) for row in db.execute(f"{_SELECT} WHERE settled = 0 ORDER BY id"))


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """How many messages stand on each rung; a rung without any is left out."""
    return dict(db.execute("SELECT rung, count(*) FROM message GROUP BY rung").fetchall())


def forget(db: sqlite3.Connection, at: datetime, keep_days: float, added: int) -> None:
    """Delete settled messages older than `keep_days`: a few more than were `added`, so that no write waits long."""
    before = to_micros(at - timedelta(days=keep_days))
    old = db.execute(
        "SELECT id FROM message WHERE settled = 1 AND updated_at < ? ORDER BY updated_at LIMIT ?",
        (before, 2 * added + _FORGET_AT_LEAST),
    ).fetchall()
    db.executemany("DELETE FROM message WHERE id = ?", old)
    db.executemany("DELETE FROM body WHERE message = ?", old)


def addressed(column: str, address: str, values: list[Any]) -> str:
    """The condition that `column` is `address`, or in its team for ``team/*``; appends its values."""
    if not address.endswith("/*"):
        values.append(address)
        return f"{column} = ?"
    # '0' is the character after '/': a range can use the index, LIKE could not.
    values.extend((address[:-1], f"{address[:-2]}0"))
    return f"{column} >= ? AND {column} < ?"


def _add(db: sqlite3.Connection, new: NewMessage, at: datetime) -> MessageView:
    history = (MessageStep(rung=Rung.ACCEPTED, at=at, evidence=_ACCEPTED),)
    done = db.execute(
        "INSERT INTO message (sender, target, rung, settled, detail, created_at, updated_at, history, terms, dedup)"
        " VALUES (?, ?, ?, 0, '', ?, ?, ?, ?, ?)",
        (
            printable(new.sender),
            new.target,
            Rung.ACCEPTED.value,
            to_micros(at),
            to_micros(at),
            to_json(history),
            to_json(new.terms),
            printable(new.terms.dedup) or None,
        ),
    )
    db.execute("INSERT INTO body (message, text) VALUES (?, ?)", (done.lastrowid, to_bytes(new.text)))
    return MessageView(
        id=f"m-{done.lastrowid}",
        sender=printable(new.sender),
        target=new.target,
        text=new.text,
        rung=Rung.ACCEPTED,
        detail="",
        created_at=at,
        updated_at=at,
        history=history,
        terms=new.terms,
    )


def _number(id_: str) -> int:
    """The row of ``m-17``; no row has the number 0, so anything else is not found."""
    digits = id_.removeprefix("m-")
    known = id_ != digits and digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_DIGITS
    return int(digits) if known else 0


_MAX_DIGITS = 18
"""As many as always fit into SQLite's integers."""


def _view(row: tuple[Any, ...], room: int | None = None) -> MessageView:
    number, sender, target, rung, detail, created_at, updated_at, history, terms, text = row
    return MessageView(
        id=f"m-{number}",
        sender=sender,
        target=target,
        text=_text(text, room),
        rung=Rung(rung),
        detail=detail,
        created_at=from_micros(created_at),
        updated_at=from_micros(updated_at),
        history=from_json(history, tuple[MessageStep, ...]),
        terms=from_json(terms, Terms),
    )


def _text(data: bytes, room: int | None) -> str:
    if room is None or len(data) <= room:
        return from_bytes(data)
    return f"{from_bytes_cut(data[:room])}… (cut: {len(data)} bytes in all)"
