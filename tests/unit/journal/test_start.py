"""A journal that has grown for months opens and loads at once."""

import sqlite3
from datetime import UTC, datetime
from functools import partial

import pytest
import trio

from tmuxorc.journal import NewMessage, _events, _messages, open_journal
from tmuxorc.journal._codec import to_micros
from tmuxorc.journal._store import Store
from tmuxorc.model import AgentSpec, TeamSpec

MESSAGES = 20_000
EVENTS = 60_000
NOW = datetime.now(UTC)

COLUMNS = "sender, target, rung, settled, detail, created_at, updated_at, history"


def grown(db: sqlite3.Connection) -> None:
    at = to_micros(NOW)
    history = f'[{{"rung":"submitted","at":"{NOW.isoformat()}","evidence":"x"}}]'
    rows = ((f"main/agent-{n % 50}", at, at, history) for n in range(MESSAGES))
    db.executemany(f"INSERT INTO message ({COLUMNS}) VALUES ('operator', ?, 'submitted', 1, '', ?, ?, ?)", rows)
    db.executemany("INSERT INTO body VALUES (?, ?)", ((n + 1, b"hello " * 50) for n in range(MESSAGES)))
    events = ((at, f"main/agent-{n % 50}") for n in range(EVENTS))
    db.executemany("INSERT INTO event VALUES (NULL, ?, 'agent.started', ?, 1, '{}')", events)


@pytest.fixture
def big(path: str) -> str:
    store = Store(path)
    (outcome,) = store.commit([grown])
    assert outcome.error is None
    store.close()
    return path


async def test_a_big_journal_loads_in_a_blink(big: str):
    async with open_journal(big) as journal:
        await journal.put_team(TeamSpec(name="main"))
        for number in range(100):
            await journal.put_agent(AgentSpec(name=f"agent-{number}"))
        await journal.accept([NewMessage(sender="operator", target="main/agent-1", text="wait")] * 10)
    with trio.fail_after(1):
        async with open_journal(big) as journal:
            snapshot = await journal.load()
            counts = await journal.message_counts()
            page = await journal.messages(target="main/agent-7", limit=20)
    assert (len(snapshot.agents), len(snapshot.messages), snapshot.last_seq) == (100, 10, EVENTS)
    assert counts == {"submitted": MESSAGES, "accepted": 10}
    assert len(page) == 20


def plan(db: sqlite3.Connection, query: str) -> list[tuple[int, int, int, str]]:
    return db.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()


def test_no_question_reads_the_whole_journal(path: str):
    """SQLite's own plan for each query uses an index wherever rows may be many."""
    store = Store(path)
    asked: list[str] = []

    def ask(db: sqlite3.Connection) -> None:
        db.set_trace_callback(asked.append)
        _messages.unsettled(db)
        _messages.messages(db, target="main/*", rungs=(), limit=5)
        _messages.messages(db, target="main/alice", rungs=(), limit=5)
        _messages.counts(db)
        _messages.forget(db, NOW, 30, 1)
        _events.events(db, since=7, limit=5, subject=None)
        _events.events(db, since=None, limit=5, subject="main/alice")
        db.set_trace_callback(None)

    assert store.read(ask).error is None
    steps = [str(row[3]) for query in asked for row in store.read(partial(plan, query=query)).value]
    store.close()
    assert len(asked) == 7
    assert [step for step in steps if step.startswith("SCAN") and "INDEX" not in step] == []
