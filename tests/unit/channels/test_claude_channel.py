"""The channel against a real Unix socket that behaves as the inbox of Claude Code, and hooks called by hand."""

import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing

from tests.support import Home
from tests.unit.channels._heard import Heard
from tmuxorc.agents.evidence import ChannelLost, HookSaid
from tmuxorc.channels import (
    ChannelDown,
    ChannelUnclear,
    Outgoing,
    Place,
    PromptOver,
    Receipt,
    SessionKnown,
    channel_class,
)
from tmuxorc.channels._claude_inbox import inbox_of
from tmuxorc.channels.claude import ClaudeChannel
from tmuxorc.model import AgentState, Prompt, Rung

HELLO = Outgoing(id="m-1", text="[m-1 from main/bob]\nhello")
ASKS = b'{"session_id":"s-1","tool_name":"Bash","tool_input":{"command":"date"}}'


class Inbox:
    """A session's inbox in our own process: keeps what it read, hangs up when the other side has."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lines: list[dict[str, object]] = []
        self.breaks_off = False

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled; the socket is removed then."""
        with trio.socket.socket(trio.socket.AF_UNIX) as listener:
            await listener.bind(self.path)
            listener.listen(5)
            task_status.started()
            try:
                async with trio.open_nursery() as nursery:
                    while True:
                        connected, _ = await listener.accept()
                        nursery.start_soon(self._read, trio.SocketStream(connected))
            finally:
                os.unlink(self.path)

    async def _read(self, stream: trio.SocketStream) -> None:
        async with stream:
            received = b""
            while not self.breaks_off and (data := await stream.receive_some()):
                received += data
            self.lines += [msgspec.json.decode(line) for line in received.splitlines()]

    @property
    def texts(self) -> list[object]:
        """The messages."""
        messages = (line["message"] for line in self.lines if line["type"] == "user")
        return [message["content"] for message in messages if isinstance(message, dict)]


@pytest.fixture
def folder(home: Home) -> Path:
    """The agent's private folder, in a path short enough for a socket."""
    folder = home.root / "run"
    folder.mkdir()
    return folder


def place_of(folder: Path, pid: int = 0) -> Place:
    """An agent's place."""
    return Place(folder=str(folder), program="claude", cwd="/", home="/", pid=pid)


def write_inbox(folder: Path, inbox: Inbox, pid: int | None = None) -> None:
    """What the hook of the session's start leaves there."""
    (folder / "inbox").write_text(f"{inbox.path}\nsecret\n{pid or os.getpid()}\n")


@contextmanager
def process(code: str) -> Iterator["subprocess.Popen[bytes]"]:
    """An interpreter of its own; killed at the end."""
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", code], stdout=subprocess.PIPE) as started:
        yield started
        started.kill()


START = b'{"session_id":"s-1","transcript_path":"/gone.jsonl","source":"startup"}'


@asynccontextmanager
async def running(folder: Path, *, pid: int = 0) -> AsyncGenerator[tuple[ClaudeChannel, Heard]]:
    """A channel that runs."""
    heard = Heard()
    channel = ClaudeChannel(place_of(folder, pid), heard)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.run)
        await trio.testing.wait_all_tasks_blocked()
        yield channel, heard
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def listening(folder: Path, name: str = "inbox.sock") -> AsyncGenerator[Inbox]:
    """An inbox that takes messages."""
    inbox = Inbox(str(folder / name))
    async with trio.open_nursery() as nursery:
        await nursery.start(inbox.serve)
        yield inbox
        nursery.cancel_scope.cancel()


async def started(channel: ClaudeChannel, heard: Heard, folder: Path, inbox: Inbox) -> None:
    """The session starts, and tells where it takes messages."""
    write_inbox(folder, inbox)
    assert await channel.hook("SessionStart", START) == b""
    await heard.up()


def test_it_is_the_one_that_kinds_mean() -> None:
    """By its name."""
    assert channel_class("claude") is ClaudeChannel


# --- messages ---


async def test_a_message_and_its_receipt(folder: Path) -> None:
    """Up once the session has told where; queued once it has read it, taken in when the hook says so."""
    async with listening(folder) as inbox, running(folder) as (channel, heard):
        with pytest.raises(ChannelDown):
            await channel.deliver(HELLO)
        await started(channel, heard, folder, inbox)
        assert heard.all[0] == HookSaid(at=heard.all[0].at, event="SessionStart", detail="startup")
        assert await channel.deliver(HELLO) is Rung.QUEUED
        assert inbox.lines[0] == {"type": "auth", "token": "secret"}
        assert inbox.texts == [HELLO.text]
        await channel.hook("UserPromptSubmit", msgspec.json.encode({"session_id": "s-1", "prompt": HELLO.text}))
        receipt = heard.all[-1]
        assert isinstance(receipt, Receipt)
        assert (receipt.message_id, receipt.rung) == ("m-1", Rung.TAKEN_IN)


async def test_the_same_message_again_does_nothing(folder: Path) -> None:
    """While its receipt is waited for."""
    async with listening(folder) as inbox, running(folder) as (channel, heard):
        await started(channel, heard, folder, inbox)
        assert [await channel.deliver(HELLO), await channel.deliver(HELLO)] == [Rung.QUEUED, Rung.QUEUED]
        assert inbox.texts == [HELLO.text]


async def test_a_big_message_comes_whole(folder: Path) -> None:
    """A megabyte of all sorts of characters."""
    text = "é\u200b\t\\日" * 100_000
    async with listening(folder) as inbox, running(folder) as (channel, heard):
        await started(channel, heard, folder, inbox)
        await channel.deliver(Outgoing(id="m-2", text=text))
        assert inbox.texts == [text]


async def test_an_inbox_that_is_gone_is_down_and_found_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message may be handed over once more: nothing of it has been read."""
    monkeypatch.setattr("tmuxorc.channels.claude.LOOK_AGAIN_S", 0.01)
    async with running(folder) as (channel, heard):
        async with listening(folder) as inbox:
            await started(channel, heard, folder, inbox)
        with pytest.raises(ChannelDown):
            await channel.deliver(HELLO)
        lost = await heard.until(lambda said: isinstance(said, ChannelLost))
        assert isinstance(lost, ChannelLost)
        assert (lost.channel, lost.why) == (
            "claude",
            "nobody listens on the session's inbox: No such file or directory",
        )
        assert not channel.up
        async with listening(folder) as inbox:
            await heard.up(2)
            assert await channel.deliver(HELLO) is Rung.QUEUED
            assert inbox.texts == [HELLO.text]


async def test_a_session_that_breaks_off_while_it_reads_may_have_the_message(folder: Path) -> None:
    """What it had not read is in its socket."""
    async with listening(folder) as inbox, running(folder) as (channel, heard):
        await started(channel, heard, folder, inbox)
        inbox.breaks_off = True
        with pytest.raises(ChannelUnclear):
            await channel.deliver(HELLO)


async def test_another_process_behind_the_socket_gets_nothing(folder: Path) -> None:
    """A pid may be used again, and a socket be left behind."""
    if sys.platform != "linux":
        pytest.skip("the system does not tell who listens")
    with process("import time; time.sleep(60)") as sleeper:
        async with listening(folder) as inbox, running(folder) as (channel, heard):
            write_inbox(folder, inbox, sleeper.pid)
            await channel.hook("SessionStart", START)
            await trio.testing.wait_all_tasks_blocked()
            assert not channel.up
            await started(channel, heard, folder, inbox)
            assert inbox.texts == []


async def test_the_end_of_its_process_is_its_end(folder: Path) -> None:
    """Told at once."""
    path = str(folder / "inbox.sock")
    code = f"import socket, time; s = socket.socket(socket.AF_UNIX); s.bind({path!r}); s.listen(); "
    with process(f"{code} print(flush=True); time.sleep(60)") as session:
        assert session.stdout
        session.stdout.readline()
        async with running(folder) as (channel, heard):
            write_inbox(folder, Inbox(path), session.pid)
            await channel.hook("SessionStart", START)
            await heard.up()
            session.kill()
            lost = await heard.until(lambda said: isinstance(said, ChannelLost))
            assert isinstance(lost, ChannelLost)
            assert lost.why == "its process has ended"


# --- what an earlier life knew ---


async def test_a_later_supervisor_knows_the_session(folder: Path) -> None:
    """From what the hook left in the private folder, the record among it."""
    record = folder / "record.jsonl"
    record.write_text('{"type":"user","message":{"role":"user","content":"[m-4 from main/bob]\\nx"}}\n')
    (folder / "session").write_text(f'{{"session_id":"s-2","transcript_path":"{record}","source":"startup"}}')
    async with listening(folder) as inbox:
        write_inbox(folder, inbox)
        async with running(folder) as (channel, heard):
            await heard.up()
            await channel.hook("Stop", b'{"session_id":"s-2"}')
            assert SessionKnown(session="s-2") in heard.all
            assert await channel.holds("m-4") is True
            assert heard.all[-1] == Receipt(
                message_id="m-4", rung=Rung.TAKEN_IN, evidence="the session's record shows it"
            )
            assert await channel.holds("m-5") is None
            assert await channel.deliver(HELLO) is Rung.QUEUED


async def test_a_session_that_a_person_started_takes_messages_too(
    folder: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its pid; but nothing will tell what becomes of them."""
    monkeypatch.setattr("tmuxorc.channels._claude_inbox.environment_of", lambda _: (f"TMPDIR={home.root}".encode(),))
    (home.root / "cc-socks").mkdir()
    pid = os.getpid()
    async with listening(home.root / "cc-socks", f"{pid}.sock") as inbox, running(folder, pid=pid) as (channel, heard):
        await heard.up()
        assert await channel.deliver(HELLO) is Rung.SUBMITTED
        assert [line["type"] for line in inbox.lines] == ["user"]


def test_a_process_without_an_inbox_has_none() -> None:
    """It is no such session, or an old one."""
    assert inbox_of(os.getpid()) is None


# --- prompts ---


@asynccontextmanager
async def asking(channel: ClaudeChannel, heard: Heard) -> AsyncGenerator[tuple[Prompt, list[bytes], trio.CancelScope]]:
    """A hook that waits at a prompt: the prompt, what the hook printed, and a way to end it."""
    printed: list[bytes] = []
    scope = trio.CancelScope()

    async def hook() -> None:
        with scope:
            printed.append(await channel.hook("PermissionRequest", ASKS))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hook)
        yield await heard.prompt(), printed, scope


async def test_an_answer_is_what_the_hook_prints(folder: Path) -> None:
    """It waits until then; a second answer meets nothing."""
    async with running(folder) as (channel, heard):
        async with asking(channel, heard) as (prompt, printed, _):
            assert (prompt.command, printed) == ("date", [])
            await channel.answer(prompt.id, "yes")
        assert b'"behavior":"allow"' in printed[0]
        await heard.no_prompt()
        with pytest.raises(PromptOver):
            await channel.answer(prompt.id, "no")


async def test_the_first_answer_counts(folder: Path) -> None:
    """The second one is told that it came late."""
    counted: list[str] = []
    async with running(folder) as (channel, heard), asking(channel, heard) as (prompt, printed, _):

        async def answer(key: str) -> None:
            with suppress(PromptOver):
                await channel.answer(prompt.id, key)
                counted.append(key)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer, "yes")
            nursery.start_soon(answer, "no")
        await heard.no_prompt()
    behaviour = {"yes": b'"allow"', "no": b'"deny"'}
    assert [behaviour[key] in printed[0] for key in counted] == [True]


async def test_a_hook_that_is_gone_ends_the_prompt(folder: Path) -> None:
    """The program ends it when the person refuses, and with Escape."""
    async with running(folder) as (channel, heard), asking(channel, heard) as (prompt, printed, scope):
        scope.cancel()
        await heard.no_prompt()
        assert printed == []
        with pytest.raises(PromptOver):
            await channel.answer(prompt.id, "yes")


@pytest.mark.parametrize("end", ["Stop", "StopFailure", "SessionEnd", "screen", "screen, asked behind another"])
async def test_a_prompt_that_a_person_allowed_is_over(folder: Path, end: str) -> None:
    """The program lets the hook wait on: the screen tells, at the latest the end of the turn does."""
    async with running(folder) as (channel, heard):
        if "behind" in end:
            channel.seen(AgentState.BLOCKED)
        async with asking(channel, heard) as (_, printed, __):
            if end == "screen":
                channel.seen(AgentState.BLOCKED)
            if "screen" in end:
                channel.seen(AgentState.BUSY)
            else:
                await channel.hook(end, b"{}")
            await heard.no_prompt()
            assert printed == [b""]


async def test_a_prompt_that_no_screen_has_shown_yet_is_not_over(folder: Path) -> None:
    """Its hook runs before its dialog is painted, while the one before may still be."""
    async with running(folder) as (channel, heard), asking(channel, heard) as (prompt, printed, _):
        channel.seen(AgentState.BUSY)
        await trio.testing.wait_all_tasks_blocked()
        assert printed == []
        await channel.answer(prompt.id, "no")


async def test_a_hook_that_nobody_heard_in_time_is_not_waited_for(folder: Path) -> None:
    """It is told of before the channel runs, and cannot be answered any more."""
    heard = Heard()
    channel = ClaudeChannel(place_of(folder), heard)
    with trio.fail_after(10):
        assert await channel.hook("PermissionRequest", ASKS) == b""
    assert [type(said) for said in heard.all] == [SessionKnown, HookSaid]


def test_it_can_be_shown(folder: Path) -> None:
    """With whether it is up."""
    assert repr(ClaudeChannel(place_of(folder), Heard())).startswith("<ClaudeChannel down <ClaudeProtocol")
