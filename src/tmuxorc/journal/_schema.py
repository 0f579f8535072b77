"""The tables, and the way from every older version of them to the newest.

``user_version`` counts the migrations applied, ``application_id`` tells a journal from any other SQLite file.
Times are integers: microseconds since 1970.
"""

import sqlite3

from tmuxorc.journal._errors import JournalNewerError, damaged

APPLICATION_ID = 0x744F7263  # "tOrc"

_FIRST = (
    """
    CREATE TABLE team (
        name TEXT PRIMARY KEY,
        spec TEXT NOT NULL,
        desired TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE agent (
        team TEXT NOT NULL,
        name TEXT NOT NULL,
        spec TEXT NOT NULL,
        desired TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        pane TEXT,
        pid INTEGER,
        generation INTEGER NOT NULL DEFAULT 0,
        restarts INTEGER NOT NULL DEFAULT 0,
        last_exit TEXT,
        PRIMARY KEY (team, name)
    ) WITHOUT ROWID
    """,
    # A text is kept apart from its message: an UPDATE rewrites the whole row, and a text may have a mebibyte.
    """
    CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        sender TEXT NOT NULL,
        target TEXT NOT NULL,
        rung TEXT NOT NULL,
        settled INTEGER NOT NULL,
        detail TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        history TEXT NOT NULL
    )
    """,
    "CREATE TABLE body (message INTEGER PRIMARY KEY, text BLOB NOT NULL)",
    "CREATE INDEX message_by_age ON message (settled, updated_at)",
    "CREATE INDEX message_by_rung ON message (rung)",
    "CREATE INDEX message_by_target ON message (target)",
    """
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        type TEXT NOT NULL,
        subject TEXT NOT NULL,
        generation INTEGER NOT NULL,
        data TEXT NOT NULL
    )
    """,
    "CREATE INDEX event_by_subject ON event (subject)",
    f"PRAGMA application_id = {APPLICATION_ID}",
)

_SESSIONS = ("ALTER TABLE agent ADD COLUMN session TEXT NOT NULL DEFAULT ''",)

_TERMS = (
    "ALTER TABLE message ADD COLUMN terms TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE message ADD COLUMN dedup TEXT",
    "CREATE UNIQUE INDEX message_by_dedup ON message (target, dedup) WHERE dedup IS NOT NULL",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _SESSIONS, _TERMS)
"""Step *n* leads from version *n* to *n + 1*.  A step that has been released is never changed."""


def migrate(db: sqlite3.Connection, path: str, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Bring the journal to the newest version, each step in a transaction of its own.

    Raises `JournalNewerError` and `JournalCorruptError`.
    """
    version = check_version(db, path, newest=len(migrations))
    for number, statements in enumerate(migrations[version:], version + 1):
        _apply(db, (*statements, f"PRAGMA user_version = {number}"))


def check_version(db: sqlite3.Connection, path: str, *, newest: int = len(MIGRATIONS)) -> int:
    """The journal's version, reading only.  Raises `JournalNewerError` and `JournalCorruptError` (not ours at all)."""
    version = _number(db, "PRAGMA user_version")
    if _is_foreign(db):
        raise damaged(path, "it is an SQLite database, but not one of this program")
    if version > newest:
        message = f"the journal {path} has version {version}, this program knows versions up to {newest}"
        raise JournalNewerError(message, hint="use the newer version of tmux-orc that wrote it", details={"path": path})
    return version


def _is_foreign(db: sqlite3.Connection) -> bool:
    tables = _number(db, "SELECT count(*) FROM sqlite_master")
    return tables > 0 and _number(db, "PRAGMA application_id") != APPLICATION_ID


def _apply(db: sqlite3.Connection, statements: tuple[str, ...]) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements:
            db.execute(statement)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _number(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])
