"""The event stream: numbered without gaps, followed without loss, kept through the supervisor's death."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.tmux.supervisor._orc import SLEEP, Orc
from tmuxorc.errors import RemoteError
from tmuxorc.model import EventView
from tmuxorc.wire import methods as m
from tmuxorc.wire.client import Client


def numbers(events: list[EventView]) -> list[int]:
    return [event.seq for event in events]


def test_events_are_numbered_without_gaps_and_listed_by_number_and_subject(orc: Orc) -> None:
    orc.spawn("alice", *SLEEP)
    orc.spawn("bob", *SLEEP)
    orc.stop("bob")
    every = orc.events()
    assert numbers(every) == list(range(1, len(every) + 1))
    assert numbers(orc.events(since=5)) == numbers(every)[5:]
    assert {event.subject for event in orc.events(subject="main/bob")} == {"main/bob"}
    newest = orc.call(m.EVENT_LIST, m.ListEvents(limit=3))
    assert newest.events == tuple(every[-3:])
    assert newest.last_seq == every[-1].seq
    orc.kill_supervisor()
    later = orc.events()
    assert later[: len(every)] == every
    assert numbers(later) == list(range(1, len(later) + 1))


class _Enough(Exception):
    pass


def test_a_follower_gets_everything_once_from_where_it_asks(orc: Orc) -> None:
    orc.spawn("alice", *SLEEP)
    since = orc.seq - 3
    seen: list[EventView] = []

    def look(event: EventView) -> None:
        seen.append(event)
        if len(seen) == 3:
            orc.all_at_once([lambda n=n: orc.spawn(f"a{n}", *SLEEP) for n in range(8)])
            orc.remove("a0")
        if (event.type, event.subject) == ("agent.removed", "main/a0"):
            raise _Enough

    with Client.connect(orc.paths.socket, timeout_s=10) as client:
        try:
            client.call(m.EVENT_FOLLOW, m.FollowEvents(since=since), on_item=look)
        except _Enough:
            pass
    assert numbers(seen) == list(range(since + 1, since + 1 + len(seen)))
    assert seen == list(itertools.islice(orc.events(since=since), len(seen)))


def test_a_whole_team_can_be_followed(orc: Orc) -> None:
    orc.create_team("crew")
    orc.spawn("alice", *SLEEP)
    since = orc.seq
    seen: list[EventView] = []

    def look(event: EventView) -> None:
        seen.append(event)
        if event.type == "agent.started":
            orc.remove(event.subject)
        if event.type == "agent.removed":
            raise _Enough

    with Client.connect(orc.paths.socket, timeout_s=10) as client, ThreadPoolExecutor(1) as pool:
        pool.submit(orc.spawn, "bob", *SLEEP, team="crew")
        with pytest.raises(_Enough):
            client.call(m.EVENT_FOLLOW, m.FollowEvents(since=since, subject="crew/*"), on_item=look)
    assert seen == orc.events(subject="crew/*")


def test_the_story_of_one_agent(orc: Orc) -> None:
    orc.spawn("alice", *SLEEP)
    orc.kill_process("alice")
    orc.await_generation("main/alice", 2)
    orc.stop("alice")
    orc.remove("alice")
    story = [(event.type, event.generation) for event in orc.events(subject="main/alice")]
    assert [step for step in story if step[0] not in ("agent.state", "agent.desired", "agent.stopped")] == [
        ("agent.defined", 0),
        ("agent.started", 1),
        ("agent.exited", 1),
        ("agent.restart_scheduled", 1),
        ("agent.started", 2),
        ("agent.exited", 2),
        ("agent.removed", 0),
    ]


def test_a_follower_who_is_ahead_of_the_newest_event_is_told(orc: Orc) -> None:
    """It would wait in silence: numbers begin anew with a new journal."""
    ahead = m.FollowEvents(since=orc.seq + 1000)
    with (
        Client.connect(orc.paths.socket, timeout_s=10) as client,
        pytest.raises(RemoteError, match="there is no event"),
    ):
        client.call(m.EVENT_FOLLOW, ahead, timeout_s=10)
