"""The journal: nothing is acknowledged before it is on the disk."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import trio

from perf.harness.bench import Scale, benchmark
from perf.harness.growth import Growth
from perf.harness.lab import Lab
from tmuxorc.journal import NewMessage, open_journal
from tmuxorc.journal._codec import to_micros
from tmuxorc.journal._store import Store

Acts = AsyncIterator[Callable[[], object]]
NOW = datetime.now(UTC)
COLUMNS = "sender, target, rung, settled, detail, created_at, updated_at, history"
DISK = "how long the disk takes depends on who else writes"


@benchmark(
    feels="a single message is acknowledged later",
    unit="s/act",
    beside="limits.disk_commit",
    floor=0.00005,
)
async def accept(lab: Lab) -> Acts:
    """One message, accepted as durably as shipped."""
    async with open_journal(str(lab.folder() / "journal.db")) as journal:
        yield partial(journal.accept, [NewMessage(sender="operator", target="main/a", text="hello " * 30)])


@benchmark(
    feels="messages to many agents are acknowledged later",
    unit="s/act",
    scale=Scale("writers", (10, 100, 300), quick=(10, 100, 300), growth=Growth.LINEAR),
    beside="limits.disk_commit",
    floor=0.0002,
    threshold=0.15,
    why=DISK,
)
async def accept_many(lab: Lab, writers: int) -> Acts:
    """Many writers at once, until the last is acknowledged: they share the waits for the disk."""
    async with open_journal(str(lab.folder() / "journal.db")) as journal:

        async def act() -> None:
            async with trio.open_nursery() as nursery:
                for number in range(writers):
                    new = NewMessage(sender="operator", target=f"main/a{number}", text="hello " * 30)
                    nursery.start_soon(journal.accept, [new])

        yield act


@benchmark(
    feels="a supervisor with a long past starts more slowly",
    unit="s/act",
    scale=Scale("rows", (1000, 30_000, 1_000_000), quick=(1000, 30_000), growth=Growth.FLAT, slack=0.5),
    floor=0.002,
)
async def load(lab: Lab, rows: int) -> Acts:
    """Open a journal of so many messages and events, and read what a new supervisor needs."""
    path = str(lab.folder() / "journal.db")
    fill(path, rows)

    async def act() -> None:
        async with open_journal(path) as journal:
            await journal.load()

    yield act
    Path(path).unlink()


def fill(path: str, rows: int) -> None:
    """Half settled messages, half events, as after months."""

    def grow(db: sqlite3.Connection) -> None:
        at = to_micros(NOW)
        history = f'[{{"rung":"submitted","at":"{NOW.isoformat()}","evidence":"x"}}]'
        messages = ((f"main/agent-{n % 50}", at, at, history) for n in range(rows // 2))
        db.executemany(f"INSERT INTO message ({COLUMNS}) VALUES ('operator', ?, 'submitted', 1, '', ?, ?, ?)", messages)
        events = ((at, f"main/agent-{n % 50}") for n in range(rows // 2))
        db.executemany("INSERT INTO event VALUES (NULL, ?, 'agent.started', ?, 1, '{}')", events)

    store = Store(path)
    (outcome,) = store.commit([grow])
    store.close()
    if outcome.error is not None:
        raise outcome.error
