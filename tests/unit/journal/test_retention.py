from datetime import UTC, datetime, timedelta
from pathlib import Path

from tmuxorc.config import JournalSettings
from tmuxorc.journal import EventDraft, NewMessage, open_journal
from tmuxorc.model import Rung

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DRAFT = EventDraft(type="agent.started", subject="main/alice", at=NOON)
MESSAGE = NewMessage(sender="operator", target="main/alice", text="x" * 1000)


def size(path: str) -> int:
    return Path(path).stat().st_size


async def test_the_newest_events_are_kept_and_numbers_are_never_reused(path: str):
    async with open_journal(path, JournalSettings(keep_events=1000)) as journal:
        for _ in range(15):
            await journal.append_events([DRAFT] * 100)
        events = await journal.events(since=0, limit=10_000)
        assert [event.seq for event in events] == list(range(501, 1501))
        assert (await journal.load()).last_seq == 1500


async def test_a_limit_lowered_is_reached_a_few_at_a_time(path: str):
    async with open_journal(path) as journal:
        await journal.append_events([DRAFT] * 3000)
    async with open_journal(path, JournalSettings(keep_events=1000)) as journal:
        await journal.append_events([DRAFT])
        assert 2900 < len(await journal.events(since=0, limit=10_000)) < 3000
        for _ in range(200):
            await journal.append_events([DRAFT])
        assert len(await journal.events(since=0, limit=10_000)) == 1000


async def test_old_settled_messages_are_forgotten_and_unsettled_ones_never(path: str):
    today = NOON
    settings = JournalSettings(keep_messages_days=30)
    async with open_journal(path, settings, now=lambda: today) as journal:
        await journal.accept([MESSAGE] * 4)
        await journal.advance("m-1", Rung.SUBMITTED, "test")
        await journal.advance("m-2", Rung.HELD, "test")
        today = NOON + timedelta(days=20)
        await journal.advance("m-3", Rung.EXPIRED, "test")
        today = NOON + timedelta(days=30, seconds=1)
        (fifth,) = await journal.accept([MESSAGE])
        assert [message.id for message in await journal.messages()] == ["m-2", "m-3", "m-4", "m-5"]
    assert fifth.id == "m-5"


async def test_loading_forgets_too(path: str):
    async with open_journal(path, now=lambda: NOON) as journal:
        await journal.accept([MESSAGE] * 600)
        for number in range(1, 600):
            await journal.advance(f"m-{number}", Rung.CANCELLED, "test")
    async with open_journal(path, now=lambda: NOON + timedelta(days=31)) as journal:
        await journal.load()
        assert [message.id for message in await journal.messages(limit=1000)] == ["m-600"]


async def test_the_room_of_forgotten_messages_is_given_back(path: str):
    big = NewMessage(sender="operator", target="main/alice", text="x" * 500_000)
    async with open_journal(path, now=lambda: NOON) as journal:
        await journal.accept([big] * 10)
        for number in range(1, 11):
            await journal.advance(f"m-{number}", Rung.SUBMITTED, "test")
    full = size(path)
    async with open_journal(path, now=lambda: NOON + timedelta(days=31)) as journal:
        await journal.load()
    async with open_journal(path) as journal:
        await journal.load()
    assert full > 5_000_000
    assert size(path) < 200_000
