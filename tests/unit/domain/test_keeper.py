"""The keeper writes the roster's lines as they are by then, shares transactions, and never gives one up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from tests.support import Home
from tests.unit.domain._roster import one_agent
from tmuxorc.actors._grudge import Grudge
from tmuxorc.actors.keeper import Keeper
from tmuxorc.errors import JournalError
from tmuxorc.journal import AgentRecord, Journal, open_journal
from tmuxorc.model import AgentSpec, Desired, TeamSpec


@asynccontextmanager
async def journal_of(home: Home) -> AsyncIterator[Journal]:
    async with open_journal(str(home.state / "journal.db")) as journal:
        await journal.put_team(TeamSpec(name="main"))
        await journal.put_agent(AgentSpec(name="a"))
        yield journal


async def kept(journal: Journal) -> AgentRecord:
    return (await journal.load()).agents[0]


async def test_the_run_is_written_as_it_is_when_it_is_written(home: Home) -> None:
    story = one_agent()
    keeper = Keeper(story.roster, Grudge())
    keeper.note_run("main/a")
    story.exit("main/a", "failed", "it broke")
    async with journal_of(home) as journal:
        await keeper.write_rest(journal)
        record = await kept(journal)
        assert (record.pid, record.pane, record.generation) == (None, "%7", 1)
        assert record.last_exit == story.roster.agent("main/a").last_exit


async def test_wishes_of_agents_and_teams_are_written(home: Home) -> None:
    story = one_agent()
    keeper = Keeper(story.roster, Grudge())
    for subject in ("main", "main/a"):
        story.tell("team.desired" if subject == "main" else "agent.desired", subject, desired="stopped")
        keeper.note_wish(subject)
    async with journal_of(home) as journal:
        await keeper.write_rest(journal)
        snapshot = await journal.load()
        assert (snapshot.teams[0].desired, snapshot.agents[0].desired) == (Desired.STOPPED, Desired.STOPPED)


async def test_who_is_gone_from_roster_or_journal_needs_no_line(home: Home) -> None:
    story = one_agent()
    story.agent("main/unknown")
    keeper = Keeper(story.roster, Grudge())
    for address in ("main/unknown", "main/never-was", "main/a"):
        keeper.note_run(address)
        keeper.note_wish(address)
    keeper.note_wish("no-team")
    async with journal_of(home) as journal:
        await keeper.write_rest(journal)
        assert (await kept(journal)).pid == 101


async def test_what_the_journal_refuses_stays_noted_and_is_written_later(home: Home) -> None:
    story = one_agent()
    keeper = Keeper(story.roster, Grudge())
    async with journal_of(home) as journal:
        story.exit("main/a", "failed", "x" * 200_000)
        keeper.note_run("main/a")
        await limit_pages(journal, 1)
        with pytest.raises(JournalError):
            await keeper.write_rest(journal)
        await limit_pages(journal, 1_000_000)
        await keeper.write_rest(journal)
        assert (await kept(journal)).last_exit is not None


async def limit_pages(journal: Journal, pages: int) -> None:
    """SQLite's own limit of the file's size: beyond it, it behaves as on a full disk."""
    await journal._worker.do(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchall(), reads=True)


async def test_a_note_that_comes_while_it_writes_is_written_too(home: Home) -> None:
    story = one_agent()
    keeper = Keeper(story.roster, Grudge())
    async with journal_of(home) as journal:
        keeper.note_run("main/a")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keeper.write_rest, journal)
            await trio.lowlevel.checkpoint()
            story.start("main/a", 2)
            keeper.note_run("main/a")
        await keeper.write_rest(journal)
        assert (await kept(journal)).generation == 2


async def test_a_cancelled_write_stays_noted(home: Home) -> None:
    story = one_agent()
    keeper = Keeper(story.roster, Grudge())
    async with journal_of(home) as journal:
        keeper.note_run("main/a")
        with trio.CancelScope() as scope:
            scope.cancel()
            await keeper.write_rest(journal)
        await keeper.write_rest(journal)
        assert (await kept(journal)).pid == 101
