"""The channel on real files, with a program at the other end that reads and writes them as qwen does."""

import json
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import trio

from tests.unit.channels._heard import Heard
from tmuxorc.agents.evidence import ChannelLost, ChannelSaid, PromptSeen
from tmuxorc.channels import (
    Ability,
    ChannelDown,
    ChannelUnclear,
    Outgoing,
    Place,
    PromptOver,
    Receipt,
    SessionKnown,
    Up,
    channel_class,
)
from tmuxorc.channels._follow import FileWatch, Tail
from tmuxorc.channels._qwen_lines import record_of
from tmuxorc.channels.qwen import QwenChannel
from tmuxorc.model import AgentState, Rung

SESSION = "955cf200-af6d-4661-91d5-bcc4dbdab429"
REFUSED = "unknown request_id (already resolved, cancelled, or never issued)"


class Program:
    """Reads the input file from where it ends when it starts; refuses answers that nobody waits for.

    `deaf` makes it read nothing; `prompts` are the answers that it waits for.
    """

    def __init__(self, place: Place) -> None:
        self.submitted: list[str] = []
        self.prompts: set[str] = set()
        self.answers: dict[str, bool] = {}
        self.deaf = False
        self._place = place
        self._input = Tail(f"{place.folder}/in.jsonl", last=0)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """As long as it lives."""
        with FileWatch() as watch:
            watch.add(f"{self._place.folder}/in.jsonl")
            self._input.read()
            self.start()
            task_status.started()
            try:
                while True:
                    await watch.wait()
                    for line in () if self.deaf else self._input.read():
                        self._take(json.loads(line))
            finally:
                self._input.close()

    def start(self) -> None:
        """Say that it has started."""
        data = {"session_id": SESSION, "cwd": self._place.cwd, "version": "0.24.4"}
        self.say(type="system", subtype="session_start", data=data)

    def say(self, **line: object) -> None:
        """A line of its output."""
        with open(f"{self._place.folder}/out.jsonl", "a") as file:
            file.write(json.dumps({"session_id": SESSION, **line}) + "\n")

    def user(self, text: str) -> None:
        """The model is given this text at the start of a turn."""
        self.say(type="user", message={"content": [{"type": "text", "text": text}]})

    def ask(self, name: str) -> None:
        """A prompt shows."""
        self.prompts.add(name)
        request = {"subtype": "can_use_tool", "tool_name": "edit", "input": {"file_path": "/a"}}
        self.say(type="control_request", request_id=name, request=request)

    def _take(self, line: dict[str, object]) -> None:
        if line["type"] == "submit":
            self.submitted.append(str(line["text"]))
            return
        name = str(line["request_id"])
        if name not in self.prompts:
            self.say(type="control_response", response={"subtype": "error", "request_id": name, "error": REFUSED})
            return
        self.prompts.remove(name)
        self.answers[name] = bool(line["allowed"])
        if line["allowed"]:
            self.say(type="control_response", response={"subtype": "success", "request_id": name})


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A private folder as a start leaves it."""
    place = Place(folder=str(tmp_path), program="qwen", cwd="/w", home=f"{tmp_path}/home", session=SESSION)
    make_input(place)
    return place


@asynccontextmanager
async def channel_in(place: Place) -> AsyncGenerator[tuple[QwenChannel, Heard]]:
    """A channel that runs within the block and is up."""
    heard = Heard()
    channel = QwenChannel(place, heard)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.run)
        await heard.until(lambda said: isinstance(said, Up))
        yield channel, heard
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def running(place: Place) -> AsyncGenerator[tuple[Program, QwenChannel, Heard]]:
    """A program and a channel to it."""
    program = Program(place)
    async with trio.open_nursery() as nursery:
        await nursery.start(program.run)
        async with channel_in(place) as (channel, heard):
            yield program, channel, heard
        nursery.cancel_scope.cancel()


def make_input(place: Place) -> None:
    """Empty, as a start leaves it."""
    Path(f"{place.folder}/in.jsonl").touch()


def size_of_input(place: Place) -> int:
    """In bytes."""
    return os.path.getsize(f"{place.folder}/in.jsonl")


def make_record(place: Place, *entries: tuple[str, str]) -> None:
    """Lines of the session's record: times and texts."""
    path = Path(record_of(place.home, place.cwd, SESSION))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        for when, text in entries:
            line = {"timestamp": when, "type": "user", "message": {"role": "user", "parts": [{"text": text}]}}
            file.write(json.dumps(line, separators=(",", ":")) + "\n")


def test_it_is_found_by_its_name() -> None:
    """As kinds name it."""
    assert channel_class("qwen") is QwenChannel


async def test_it_is_up_once_its_input_is_read(place: Place) -> None:
    """And says its version and its session, if that was gone on with."""
    async with running(place) as (_, channel, heard):
        assert heard.all == [SessionKnown(session=SESSION), Up(version="0.24.4")]
        assert SESSION in repr(channel)


async def test_a_question_that_was_skipped_is_asked_again(place: Place, autojump_clock: trio.testing.MockClock) -> None:
    """The program skips what is there when it begins to read."""
    program, heard = Program(place), Heard()
    program.start()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(QwenChannel(place, heard).run)
        await trio.testing.wait_all_tasks_blocked()
        assert size_of_input(place)
        await nursery.start(program.run)
        await heard.until(lambda said: isinstance(said, Up))
        nursery.cancel_scope.cancel()


async def test_a_message_and_its_receipt(place: Place) -> None:
    """Exact text; once it was read it is `queued`; a second time nothing is written."""
    text = '[m-1 from main/bob]\n/help\t"x" \\ Ω\u200b'
    async with running(place) as (program, channel, heard):
        assert await channel.deliver(Outgoing(id="m-1", text=text)) is Rung.QUEUED
        assert await channel.deliver(Outgoing(id="m-1", text=text)) is Rung.QUEUED
        assert program.submitted == [text]
        program.user(text)
        await heard.receipt("m-1")
        assert await channel.deliver(Outgoing(id="m-1", text=text)) is Rung.TAKEN_IN
        assert await channel.holds("m-1") is True
        assert await channel.holds("m-2") is False


async def test_a_message_in_a_running_turn_is_in_the_record(place: Place) -> None:
    """The program writes nothing of it to its output."""
    make_record(place)
    async with running(place) as (_, channel, heard):
        await channel.deliver(Outgoing(id="m-1", text="yes"))
        make_record(place, ("2020-01-01T00:00:00.000Z", "yes"), ("2199-01-01T00:00:00.000Z", "other"))
        make_record(place, ("2199-01-01T00:00:00.000Z", "yes"))
        await heard.receipt("m-1")


async def test_a_later_supervisor_knows_what_was_handed_over(place: Place) -> None:
    """From the input file; the record tells what became of it, and nothing is said twice."""
    program = Program(place)
    make_record(place)
    async with trio.open_nursery() as nursery:
        await nursery.start(program.run)
        async with channel_in(place) as (channel, _):
            await channel.deliver(Outgoing(id="m-1", text="one"))
            await channel.deliver(Outgoing(id="m-2", text="two"))
            program.ask("r-1")
        make_record(place, ("2199-01-01T00:00:00.000Z", "one"))
        async with channel_in(place) as (channel, heard):
            await heard.receipt("m-1")
            assert [await channel.holds(name) for name in ("m-1", "m-2", "m-3")] == [True, True, False]
            assert [type(said) for said in heard.all] == [SessionKnown, PromptSeen, ChannelSaid, Receipt, Up]
            assert await channel.deliver(Outgoing(id="m-2", text="two")) is Rung.QUEUED
        assert program.submitted == ["one", "two"]
        nursery.cancel_scope.cancel()


async def test_a_new_process_knows_framed_messages_of_its_session(place: Place) -> None:
    """By their first line, in the record."""
    make_record(place, ("2020-01-01T00:00:00.000Z", "[m-7 from main/bob]\nhello"))
    async with running(place) as (_, channel, heard):
        assert await channel.holds("m-7") is True
        await heard.receipt("m-7")
        assert await channel.holds("m-77") is False


async def test_prompts_are_answered_by_their_ids(place: Place) -> None:
    """Allowed, denied, too late, never there."""
    async with running(place) as (program, channel, heard):
        program.ask("r-1")
        await heard.word("permission")
        await channel.answer("r-1", "allow")
        await heard.word("busy")
        heard.all.clear()
        program.ask("r-2")
        await heard.word("permission")
        await channel.answer("r-2", "deny")
        assert program.answers == {"r-1": True, "r-2": False}
        assert [said.prompt for said in heard.all if isinstance(said, PromptSeen)][1:] == [None]
        heard.all.clear()
        program.ask("r-3")
        await heard.word("permission")
        program.prompts.clear()
        for name in ("r-3", "r-3", "r-9"):
            with pytest.raises(PromptOver):
                await channel.answer(name, "allow")


async def test_messages_wait_until_it_is_idle(place: Place) -> None:
    """In its own queue they would go into the running turn; prompts are another matter."""
    async with running(place) as (_, channel, _):
        for state, expected in (
            (AgentState.BUSY, False),
            (AgentState.BLOCKED, False),
            (AgentState.IDLE, True),
        ):
            channel.seen(state)
            assert (channel.can(Ability.DELIVER), channel.can(Ability.PROMPTS)) == (expected, True)


async def test_a_prompt_is_over_when_it_is_idle(place: Place) -> None:
    """Escape was pressed, which is written nowhere."""
    async with running(place) as (program, channel, heard):
        program.ask("r-1")
        await heard.word("permission")
        channel.seen(AgentState.IDLE)
        seen, word = heard.all[-2:]
        assert isinstance(seen, PromptSeen)
        assert seen.prompt is None
        assert isinstance(word, ChannelSaid)
        with pytest.raises(PromptOver):
            await channel.answer("r-1", "allow")
        channel.seen(AgentState.IDLE)
        assert heard.all[-1] is word


async def test_what_was_typed_has_a_receipt(place: Place) -> None:
    """Like what was written to the file."""
    async with running(place) as (program, channel, heard):
        channel.typed(Outgoing(id="m-1", text="hello"))
        program.user("hello")
        await heard.receipt("m-1")
        assert program.submitted == []


async def test_a_program_that_does_not_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not known whether it will: the message is not written again."""
    async with running(place) as (program, channel, _):
        monkeypatch.setattr("tmuxorc.channels.qwen.PATIENCE_S", 0.0)
        program.deaf = True
        with pytest.raises(ChannelUnclear):
            await channel.deliver(Outgoing(id="m-1", text="one"))
        assert await channel.holds("m-1") is True


async def test_without_its_folder_it_stays_down(place: Place, autojump_clock: trio.testing.MockClock) -> None:
    """Somebody has removed it."""
    heard = Heard()
    with trio.move_on_after(1000):
        await QwenChannel(msgspec.structs.replace(place, folder="/nowhere"), heard).run()
    assert heard.all == []


async def test_an_input_file_that_comes_late(place: Place, autojump_clock: trio.testing.MockClock) -> None:
    """It is asked for again."""
    os.unlink(f"{place.folder}/in.jsonl")
    program, heard = Program(place), Heard()
    program.start()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(QwenChannel(place, heard).run)
        await trio.testing.wait_all_tasks_blocked()
        make_input(place)
        await nursery.start(program.run)
        await heard.until(lambda said: isinstance(said, Up))
        nursery.cancel_scope.cancel()


async def test_the_end_of_its_session(place: Place) -> None:
    """The channel is down with it."""
    async with running(place) as (program, channel, heard):
        program.say(type="system", subtype="session_end")
        await heard.until(lambda said: isinstance(said, ChannelLost))
        with pytest.raises(ChannelDown):
            await channel.deliver(Outgoing(id="m-1", text="one"))


async def test_nothing_is_written_by_halves(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk, without the file: the message is not handed over."""
    async with running(place) as (program, channel, _):
        size = size_of_input(place)
        real = os.write
        monkeypatch.setattr("tmuxorc.channels.qwen.os.write", lambda file, data: real(file, data[:9]))
        with pytest.raises(ChannelDown, match="room"):
            await channel.deliver(Outgoing(id="m-1", text="one"))
        assert size_of_input(place) == size
        monkeypatch.undo()
        os.unlink(f"{place.folder}/in.jsonl")
        with pytest.raises(ChannelDown, match="not there"):
            await channel.deliver(Outgoing(id="m-1", text="one"))
        assert await channel.holds("m-1") is False
        assert program.submitted == []
