"""The event log: told at once, journaled in order, shown once it is durable, whatever the disk does meanwhile."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
import trio
import trio.testing

from tests.support import Home
from tmuxorc.actors import eventlog
from tmuxorc.actors._grudge import Grudge
from tmuxorc.actors.eventlog import EventLog
from tmuxorc.actors.roster import Roster
from tmuxorc.errors import NotFoundError
from tmuxorc.journal import Journal, open_journal
from tmuxorc.model import AgentSpec, AgentState


@pytest.fixture
def path(home: Home) -> str:
    return str(home.state / "journal.db")


@pytest.fixture
def events() -> EventLog:
    return EventLog(Roster(), Grudge())


@asynccontextmanager
async def writing(events: EventLog, path: str) -> AsyncIterator[Journal]:
    """An open journal, and the task that writes to it."""
    async with open_journal(path) as journal, trio.open_nursery() as nursery:
        nursery.start_soon(events.run, journal)
        yield journal
        nursery.cancel_scope.cancel()


async def limit_pages(journal: Journal, pages: int) -> None:
    """SQLite's own limit of the file's size: beyond it, it behaves as on a full disk."""
    await journal._worker.do(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchall(), reads=True)


def define(events: EventLog, name: str) -> None:
    events.publish("agent.defined", f"main/{name}", spec=msgspec.to_builtins(AgentSpec(name=name)))


async def subjects(journal: Journal) -> list[str]:
    return [event.subject for event in await journal.events(limit=10_000)]


async def test_what_is_published_is_in_the_roster_at_once_and_in_the_journal_in_order(
    events: EventLog, path: str
) -> None:
    async with writing(events, path) as journal:
        for n in range(100):
            define(events, f"a{n}")
            assert f"main/a{n}" in events.roster.agents
        await events.flushed()
        assert await subjects(journal) == [f"main/a{n}" for n in range(100)]
        assert events.last_seq == 100


async def test_what_was_published_before_the_journal_opened_is_written_when_it_does(
    events: EventLog, path: str
) -> None:
    define(events, "early")
    async with writing(events, path) as journal:
        await events.flushed()
        assert await subjects(journal) == ["main/early"]


async def test_a_follower_gets_each_event_once_and_only_what_is_durable(events: EventLog, path: str) -> None:
    async with writing(events, path) as journal, events.follow() as live:
        for n in range(50):
            define(events, f"a{n}")
            if n % 7 == 0:
                await events.flushed()
        with trio.fail_after(10):
            for n in range(50):
                event = await live.receive()
                assert (event.seq, event.subject) == (n + 1, f"main/a{n}")
                assert (await journal.events(since=n, limit=1))[0] == event


async def test_one_that_falls_behind_is_let_go_after_what_it_was_given(
    events: EventLog, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds the rest in the journal; nobody waits for it."""
    monkeypatch.setattr(eventlog, "FOLLOWER_BUFFER", 5)
    async with writing(events, path), events.follow() as slow, events.follow() as quick:
        seen: list[int] = []
        for n in range(10):
            define(events, f"a{n}")
            await events.flushed()
            seen.append((await quick.receive()).seq)
        assert seen == list(range(1, 11))
        assert [event.seq async for event in slow] == [1, 2, 3, 4, 5]


async def test_one_that_went_away_is_forgotten(events: EventLog, path: str) -> None:
    async with writing(events, path) as journal:
        async with events.follow() as live:
            await live.aclose()
            define(events, "a")
            await events.flushed()
        define(events, "b")
        await events.flushed()
        assert await subjects(journal) == ["main/a", "main/b"]


async def test_a_batch_that_the_journal_refuses_is_offered_again(
    events: EventLog, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventlog, "RETRY_S", 0.01)
    async with writing(events, path) as journal, events.follow() as live:
        await limit_pages(journal, 1)
        events.publish("agent.noted", "main/a", text="x" * 100_000)
        await events.flushed()
        define(events, "later")
        assert await subjects(journal) == []
        await limit_pages(journal, 1_000_000)
        with trio.fail_after(10):
            assert [(await live.receive()).subject for _ in range(2)] == ["main/a", "main/later"]
        assert await subjects(journal) == ["main/a", "main/later"]


async def test_beyond_its_limit_the_oldest_are_dropped_and_the_rest_kept_in_order(
    events: EventLog, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventlog, "RETRY_S", 0.01)
    monkeypatch.setattr(eventlog, "MOST_UNWRITTEN", 3)
    async with writing(events, path) as journal:
        await limit_pages(journal, 1)
        for n in range(6):
            events.publish("agent.noted", f"main/a{n}", text="x" * 100_000)
        await events.flushed()
        await limit_pages(journal, 1_000_000)
        async with events.follow() as live:
            with trio.fail_after(10):
                while (await live.receive()).subject != "main/a5":
                    pass
        assert await subjects(journal) == ["main/a3", "main/a4", "main/a5"]


async def test_while_there_is_no_journal_no_more_than_the_limit_is_kept(
    events: EventLog, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventlog, "MOST_UNWRITTEN", 3)
    for n in range(1000):
        define(events, f"a{n}")
    async with writing(events, path) as journal:
        await events.flushed()
        assert await subjects(journal) == ["main/a997", "main/a998", "main/a999"]


async def test_flushing_waits_for_what_is_published_by_then_and_for_nothing_later(events: EventLog, path: str) -> None:
    async def never_rest() -> None:
        while True:
            define(events, "busy")
            await trio.lowlevel.checkpoint()

    async with writing(events, path) as journal, trio.open_nursery() as nursery:
        nursery.start_soon(never_rest)
        define(events, "a")
        with trio.fail_after(10):
            await events.flushed()
        nursery.cancel_scope.cancel()
        assert "main/a" in await subjects(journal)


async def test_values_of_variables_are_not_among_the_events(events: EventLog, path: str) -> None:
    """Events are listed, followed and kept for long; a variable may hold a key."""
    async with writing(events, path) as journal:
        spec = AgentSpec(name="a", env={"API_KEY": "s3cret"})
        events.publish("agent.defined", "main/a", spec=msgspec.to_builtins(spec))
        await events.flushed()
        (event,) = await journal.events()
    assert events.roster.agent("main/a").spec == spec
    assert event.data["spec"]["env"] == {"API_KEY": "…"}


async def test_what_is_no_json_is_dropped_and_stops_nothing(events: EventLog, path: str) -> None:
    async with writing(events, path) as journal:
        define(events, "a")
        events.publish("agent.noted", "main/b", thing=object())
        define(events, "c")
        await events.flushed()
        define(events, "d")
        await events.flushed()
        assert await subjects(journal) == ["main/a", "main/c", "main/d"]


async def test_the_rest_is_written_when_the_writer_was_cancelled(events: EventLog, path: str) -> None:
    async with open_journal(path) as journal:
        define(events, "a")
        await events.write_rest(journal)
        define(events, "b")
        await events.write_rest(journal)
        await events.write_rest(journal)
        assert await subjects(journal) == ["main/a", "main/b"]
        assert events.last_seq == 2


async def test_what_is_published_while_the_rest_is_written_is_not_lost(events: EventLog, path: str) -> None:
    async with open_journal(path) as journal:
        define(events, "a")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(events.write_rest, journal)
            await trio.lowlevel.checkpoint()
            define(events, "b")
        await events.write_rest(journal)
        assert await subjects(journal) == ["main/a", "main/b"]


async def test_a_new_journal_goes_on_where_the_last_one_failed(
    events: EventLog, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing new has to be published for what is left to be written."""
    async with writing(events, path) as journal:
        await limit_pages(journal, 1)
        events.publish("agent.noted", "main/a", text="x" * 100_000)
        await events.flushed()
    async with writing(events, path) as journal, events.follow() as live:
        with trio.fail_after(10):
            assert (await live.receive()).subject == "main/a"


async def test_until_asks_now_and_after_each_event_about_its_subject(
    events: EventLog, autojump_clock: trio.testing.MockClock
) -> None:
    define(events, "a")
    asked: list[float] = []

    def idle() -> str | None:
        asked.append(trio.current_time())
        return "yes" if events.roster.agent("main/a").state is AgentState.IDLE else None

    async def tell() -> None:
        for subject, state in (("main/a", "busy"), ("main/b", "idle"), ("main/a", "idle")):
            await trio.sleep(1)
            events.publish("agent.state", subject, state=state)

    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell)
        assert await events.until("main/a", idle) == "yes"
    assert [at - start for at in asked] == [0, 1, 3]
    assert await events.until("main/a", idle) == "yes"


async def test_all_who_wait_are_woken_and_an_error_of_their_question_is_theirs(
    events: EventLog, autojump_clock: trio.testing.MockClock
) -> None:
    define(events, "a")
    woken: list[int] = []

    async def wait(n: int) -> None:
        await events.until("main/a", lambda: events.roster.agent("main/a").pid)
        woken.append(n)

    async with trio.open_nursery() as nursery:
        for n in range(3):
            nursery.start_soon(wait, n)
        await trio.testing.wait_all_tasks_blocked()
        events.publish("agent.started", "main/a", 1, pane="%1", window="@1", pid=5, adopted=False)
    assert sorted(woken) == [0, 1, 2]

    async def wait_for_the_impossible() -> None:
        with pytest.raises(NotFoundError):
            await events.until("main/a", lambda: events.roster.agent("main/a").restart_at)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait_for_the_impossible)
        await trio.testing.wait_all_tasks_blocked()
        events.publish("agent.removed", "main/a")
