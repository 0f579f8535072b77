from datetime import UTC, datetime
from typing import Any

import pytest

from tmuxorc.journal import EventDraft, open_journal
from tmuxorc.model import EventView

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def draft(subject: str = "main/alice", **data: Any) -> EventDraft:
    return EventDraft(type="agent.exited", subject=subject, at=NOON, generation=3, data=data)


def seqs(events: tuple[EventView, ...]) -> list[int]:
    return [event.seq for event in events]


async def test_events_are_numbered_from_one_without_gaps(path: str):
    async with open_journal(path) as journal:
        first = await journal.append_events((draft(), draft()))
        second = await journal.append_events((draft(),))
        assert await journal.append_events(()) == ()
    assert seqs(first + second) == [1, 2, 3]


async def test_an_event_comes_back_as_it_was_appended(path: str):
    data = {"reason": "failed", "status": 3, "lines": ["a", "é"], "nested": {"x": None, "y": 1.5}}
    async with open_journal(path) as journal:
        appended = await journal.append_events((draft(**data),))
    async with open_journal(path) as journal:
        assert await journal.events() == appended
    (event,) = appended
    assert (event.at, event.type, event.subject, event.generation) == (NOON, "agent.exited", "main/alice", 3)
    assert event.data == data


async def test_data_no_encoding_was_meant_for_is_kept(path: str):
    async with open_journal(path) as journal:
        await journal.append_events((draft(line="\udcff", **{"\ud800": 1}),))
        (event,) = await journal.events()
    assert event.data == {"line": "\udcff", "\ud800": 1}


@pytest.mark.parametrize(
    ("since", "limit", "subject", "found"),
    [
        (None, 100, None, [1, 2, 3, 4, 5, 6]),
        (None, 2, None, [5, 6]),
        (0, 2, None, [1, 2]),
        (2, 2, None, [3, 4]),
        (6, 2, None, []),
        (99, 2, None, []),
        (None, 100, "main/alice", [1, 4]),
        (1, 100, "main/alice", [4]),
        (None, 1, "main/alice", [4]),
        (None, 100, "main/*", [1, 2, 4]),
        (None, 100, "tmux", [6]),
        (None, 100, "nobody", []),
    ],
)
async def test_events_are_read_from_a_number_on_or_from_the_newest(
    path: str, since: int | None, limit: int, subject: str | None, found: list[int]
):
    subjects = ("main/alice", "main/bob", "main-2/alice", "main/alice", "main.x/bob", "tmux")
    async with open_journal(path) as journal:
        await journal.append_events([draft(subject) for subject in subjects])
        assert seqs(await journal.events(since=since, limit=limit, subject=subject)) == found


async def test_the_newest_number_is_known_after_a_restart(path: str):
    async with open_journal(path) as journal:
        await journal.append_events([draft()] * 7)
    async with open_journal(path) as journal:
        assert (await journal.load()).last_seq == 7


async def test_data_that_is_not_json_is_the_callers_error_and_harms_nothing(path: str):
    async with open_journal(path) as journal:
        with pytest.raises(TypeError):
            await journal.append_events((draft(), draft(thing=object())))
        assert seqs(await journal.append_events((draft(),))) == [1]
