"""The channel to Gemini CLI: what it reports as time passes, and what it remembers."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from tmuxorc.channels import Ability, ChannelDown, Outgoing, Place, Receipt, Said, Up
from tmuxorc.channels.gemini import GeminiChannel
from tmuxorc.model import AgentState, Rung

MESSAGE = Outgoing(id="m-1", text="hello")


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[GeminiChannel, list[Said]]]:
    """A channel that runs, and what it reports."""
    reported: list[Said] = []
    place = Place(folder=str(folder), program="/bin/gemini", cwd="/", home="/")
    channel = GeminiChannel(place, reported.append)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.run)
        yield channel, reported
        nursery.cancel_scope.cancel()


def rungs(reported: list[Said]) -> list[Rung]:
    """How far the message came."""
    return [said.rung for said in reported if isinstance(said, Receipt)]


def payload(**fields: str) -> bytes:
    """A hook's input."""
    return json.dumps(fields).encode()


async def test_it_is_up_from_the_first_hook_on(tmp_path: Path) -> None:
    """Before that nobody knows whether the program runs any."""
    async with running(tmp_path) as (channel, reported):
        with pytest.raises(ChannelDown):
            await channel.deliver(MESSAGE)
        assert not channel.can(Ability.STATE)
        await channel.hook("SessionStart", payload(session_id="s"))
        await channel.hook("SessionStart", payload(session_id="s"))
        assert reported.count(Up()) == 1
        assert channel.can(Ability.STATE)


async def test_it_takes_messages_only_while_a_turn_runs(tmp_path: Path) -> None:
    """Between turns the composer is the way."""
    async with running(tmp_path) as (channel, _):
        await channel.hook("SessionStart", payload())
        assert not channel.can(Ability.DELIVER)
        with pytest.raises(ChannelDown):
            await channel.deliver(MESSAGE)
        await channel.hook("BeforeAgent", payload(prompt="x"))
        assert channel.can(Ability.DELIVER)
        assert await channel.deliver(MESSAGE) is Rung.QUEUED
        assert await channel.holds("m-1")


async def test_a_message_is_handed_over_and_proved_by_time(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Five seconds into its turn."""
    async with running(tmp_path) as (channel, reported):
        await channel.hook("BeforeAgent", payload(prompt="x"))
        await channel.deliver(MESSAGE)
        answer = await channel.hook("AfterAgent", payload(prompt_response="a"))
        assert json.loads(answer) == {"decision": "block", "reason": "hello"}
        await channel.hook("BeforeAgent", payload(prompt="hello"))
        await trio.testing.wait_all_tasks_blocked()
        assert rungs(reported) == []
        await trio.sleep(5.1)
        assert rungs(reported) == [Rung.TAKEN_IN]


async def test_a_message_comes_back_when_the_turn_ended_unsaid(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """An agent that is busy in between starts the wait anew."""
    async with running(tmp_path) as (channel, reported):
        await channel.hook("BeforeAgent", payload(prompt="x"))
        await channel.deliver(MESSAGE)
        channel.seen(AgentState.IDLE)
        await trio.sleep(2.9)
        channel.seen(AgentState.BUSY)
        await trio.sleep(60)
        assert rungs(reported) == []
        channel.seen(AgentState.IDLE)
        await trio.sleep(3.1)
        assert rungs(reported) == [Rung.ACCEPTED]
        assert not await channel.holds("m-1")


@pytest.mark.parametrize("shows", [True, False])
async def test_what_was_handed_over_before_a_restart_is_looked_up(tmp_path: Path, shows: bool) -> None:
    """In the program's own record: it is taken in if it stands there, and else the agent does not have it."""
    record = tmp_path / "session.jsonl"
    async with running(tmp_path) as (channel, _):
        await channel.hook("BeforeAgent", payload(prompt="x", transcript_path=str(record)))
        await channel.deliver(MESSAGE)
        await channel.hook("AfterAgent", payload(prompt_response="a"))
    if shows:
        record.write_text('{"type":"user","content":[{"text":"hello"}]}\n')
    async with running(tmp_path) as (channel, reported):
        assert await channel.holds("m-1") is shows
        assert await channel.holds("m-2") is False
        assert rungs(reported) == ([Rung.TAKEN_IN] if shows else [])
