"""The channel against a real WebSocket server on a Unix socket that behaves as codex's app-server."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from tests.unit.channels._codex_server import THREAD, CodexServer, codex_server
from tests.unit.channels._heard import Heard
from tmuxorc.agents.evidence import ChannelLost, PromptSeen
from tmuxorc.channels import (
    Ability,
    ChannelDown,
    ChannelError,
    ChannelUnclear,
    Outgoing,
    Place,
    PromptOver,
    SessionKnown,
    Up,
    channel_class,
    codex,
)
from tmuxorc.channels import _codex_link as link
from tmuxorc.channels.codex import CodexChannel
from tmuxorc.model import Rung

HELLO = Outgoing(id="m-1", text="hello")
COMMAND = "item/commandExecution/requestApproval"


class HeardCodex(Heard):
    """And what only codex has."""

    async def again(self) -> None:
        """Wait until the channel was lost and is up again."""
        await self.until(lambda said: isinstance(said, ChannelLost))
        await self.until(lambda _: sum(isinstance(said, Up) for said in self.all) > 1)

    async def session(self) -> None:
        """Wait until the thread is listened to."""
        await self.until(lambda said: said == SessionKnown(session=THREAD))


def place_of(folder: Path) -> Place:
    """Where such a server is reached."""
    return Place(folder=str(folder), program="codex", cwd="/", home="/")


@asynccontextmanager
async def channel_in(folder: Path) -> AsyncGenerator[tuple[CodexChannel, HeardCodex]]:
    """A channel that runs within the block and is up."""
    heard = HeardCodex()
    channel = CodexChannel(place_of(folder), heard)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.run)
        await heard.until(lambda said: isinstance(said, Up))
        yield channel, heard
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def together(folder: Path) -> AsyncGenerator[tuple[CodexServer, CodexChannel, HeardCodex]]:
    """A server with a channel that listens to its thread."""
    async with codex_server(folder) as server, channel_in(folder) as (channel, heard):
        await heard.session()
        yield server, channel, heard


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a person here."""
    monkeypatch.setattr(codex, "PERSON_FIRST_S", 0.05)
    monkeypatch.setattr(codex, "SETTLE_S", 0.05)


def added(server: CodexServer) -> list[dict[str, Any]]:
    """What was put into the queue."""
    return [params for method, params in server.asked if method == "thread/queue/add"]


def test_it_is_found_by_its_name() -> None:
    """As kinds name it; it can do everything but read out the whole conversation."""
    assert channel_class("codex") is CodexChannel
    assert CodexChannel.abilities == set(Ability) - {Ability.TRANSCRIPT}


async def test_a_message_and_its_receipt(tmp_path: Path) -> None:
    """Exact text, `queued` at once, `taken_in` when the model is given it; a second time nothing is sent."""
    text = "/help\ttab\nΩ \u200b \\" + "x" * 100_000
    async with together(tmp_path) as (server, channel, heard):
        assert heard.all[0] == Up(version="0.169.0")
        assert await channel.deliver(Outgoing(id="m-1", text=text)) is Rung.QUEUED
        await heard.receipt("m-1")
        assert await channel.deliver(Outgoing(id="m-1", text=text)) is Rung.QUEUED
        (params,) = added(server)
        assert params["input"][0]["text"] == text
        assert params["threadId"] == THREAD
        assert "up" in repr(channel)


async def test_the_first_message_of_a_thread(tmp_path: Path) -> None:
    """Its receipt comes though the thread can be listened to only once it is written down."""
    async with codex_server(tmp_path) as server:
        server.written = False
        async with channel_in(tmp_path) as (channel, heard):
            await channel.deliver(HELLO)
            await server.until(lambda: server.items)
            server.written = True
            await heard.receipt("m-1")


async def test_while_busy_it_waits_in_the_queue(tmp_path: Path) -> None:
    """The running answer is not cut off."""
    async with together(tmp_path) as (server, channel, heard):
        await channel.deliver(HELLO)
        await heard.receipt("m-1")
        await channel.deliver(Outgoing(id="m-2", text="next"))
        assert [one["clientUserMessageId"] for one in server.queue] == ["m-2"]
        assert await channel.holds("m-2") is True
        await server.end()
        await heard.receipt("m-2")
        assert not any(method == "turn/start" for method, _ in server.asked)


@pytest.mark.parametrize("ended", [False, True])
async def test_steering(tmp_path: Path, ended: bool) -> None:
    """On request it goes into the running turn; one that has just ended takes nothing, so it is queued."""
    async with together(tmp_path) as (server, channel, heard):
        await channel.deliver(HELLO)
        await heard.receipt("m-1")
        server.refuses = {"turn/steer"} if ended else set()
        await channel.deliver(Outgoing(id="m-2", text="now", steer=True))
        assert [one["clientUserMessageId"] for one in server.queue] == (["m-2"] if ended else [])
        assert [params["expectedTurnId"] for method, params in server.asked if method == "turn/steer"] == ["turn-1"]


@pytest.mark.parametrize("by_us", [False, True])
async def test_after_an_interruption_the_queue_is_set_going_again(tmp_path: Path, by_us: bool) -> None:
    """Codex leaves it alone."""
    async with together(tmp_path) as (server, channel, heard):
        await channel.deliver(HELLO)
        await heard.receipt("m-1")
        await channel.deliver(Outgoing(id="m-2", text="next"))
        async with trio.open_nursery() as nursery:
            if by_us:
                nursery.start_soon(channel.interrupt)
                await server.until(lambda: any(method == "turn/interrupt" for method, _ in server.asked))
            await server.end("interrupted")
        await heard.receipt("m-2")


async def test_interrupting_nothing(tmp_path: Path) -> None:
    """Nothing is asked of an idle agent, and nothing said of a turn that ended meanwhile."""
    async with together(tmp_path) as (server, channel, heard):
        await channel.interrupt()
        assert not any(method == "turn/interrupt" for method, _ in server.asked)
        await channel.deliver(HELLO)
        await heard.receipt("m-1")
        server.refuses = {"turn/interrupt"}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(channel.interrupt)
            await server.until(lambda: any(method == "turn/interrupt" for method, _ in server.asked))
            await server.end()


async def test_a_prompt_is_answered(tmp_path: Path) -> None:
    """By the server's own request; it is over when the server says so."""
    async with together(tmp_path) as (server, channel, heard):
        await server.send({"id": 0, "method": COMMAND, "params": {"threadId": THREAD, "command": "touch x"}})
        prompt = await heard.prompt()
        with pytest.raises(ChannelError, match="no option"):
            await channel.answer(prompt.id, "whatever")
        await channel.answer(prompt.id, prompt.deny)
        assert server.answers == {0: {"decision": "decline"}}
        with pytest.raises(PromptOver):
            await channel.answer(prompt.id, prompt.approve)


async def test_a_person_was_first(tmp_path: Path) -> None:
    """Then nothing is sent."""
    async with together(tmp_path) as (server, channel, heard):
        await server.send({"id": 0, "method": COMMAND, "params": {"threadId": THREAD}})
        prompt = await heard.prompt()
        await server.say("serverRequest/resolved", requestId=0)
        await heard.until(lambda said: isinstance(said, PromptSeen) and said.prompt is None)
        with pytest.raises(PromptOver):
            await channel.answer(prompt.id, "accept")
        assert server.answers == {}


async def test_what_the_agent_holds(tmp_path: Path) -> None:
    """In its queue or in its thread, however far back; what is told is told as a receipt too."""
    async with together(tmp_path) as (server, channel, heard):
        server.items = [
            {"id": "i", "type": "userMessage", "clientId": f"m-{number}", "turn": ""} for number in range(9)
        ]
        server.queue = [{"id": "q", "clientUserMessageId": "m-20"}]
        assert await channel.holds("m-0") is True
        await heard.receipt("m-0")
        assert await channel.holds("m-20") is True
        assert await channel.holds("m-30") is False
        server.refuses = {"thread/items/list"}
        assert await channel.holds("m-30") is None


async def test_a_message_between_queue_and_thread_is_waited_for(tmp_path: Path) -> None:
    """A turn has begun, and what was said in it is not written down yet."""
    async with together(tmp_path) as (server, channel, _):
        server.turn = "turn-9"
        async with trio.open_nursery() as nursery:
            answer: list[bool | None] = []

            async def ask() -> None:
                answer.append(await channel.holds("m-1"))

            nursery.start_soon(ask)
            await server.until(lambda: any(params.get("limit") == 1 for _, params in server.asked))
            await server.hear("m-1")
        assert answer == [True]


async def test_what_is_no_longer_in_the_queue_is_not_waited_for(tmp_path: Path) -> None:
    """Somebody took it out; the queue is asked for once, and left alone then."""
    async with together(tmp_path) as (server, channel, _):
        server.paused = True
        server.refuses = {"thread/queue/start"}
        await channel.deliver(HELLO)
        server.queue.clear()
        await server.until(lambda: [method for method, _ in server.asked].count("thread/queue/list") > 1)
        assert await channel.holds("m-1") is False


@pytest.mark.parametrize("method", ["thread/queue/list", "thread/items/list", "thread/turns/list"])
async def test_answers_that_are_not_understood(tmp_path: Path, method: str) -> None:
    """It is not known then what the agent holds; the channel goes on."""
    async with together(tmp_path) as (server, channel, heard):
        server.nonsense = {method}
        assert await channel.holds("m-1") is None
        server.nonsense = set()
        await channel.deliver(HELLO)
        await heard.receipt("m-1")


async def test_a_connection_that_breaks(tmp_path: Path) -> None:
    """What was asked is unclear, the channel is lost; it comes back, and the message is not sent twice."""
    async with channel_after_break(tmp_path) as (server, channel, heard):
        await heard.again()
        assert await channel.deliver(HELLO) is Rung.QUEUED
        assert [method for method, _ in server.asked].count("thread/queue/add") == 0


@asynccontextmanager
async def channel_after_break(folder: Path) -> AsyncGenerator[tuple[CodexServer, CodexChannel, HeardCodex]]:
    """A channel whose first server took a message, hung up, and was followed by another with the same queue."""
    async with trio.open_nursery() as nursery:
        async with codex_server(folder) as first:
            first.silent = {"thread/queue/add"}
            first.paused = True
            heard = HeardCodex()
            channel = CodexChannel(place_of(folder), heard)
            nursery.start_soon(channel.run)
            await heard.session()
            async with trio.open_nursery() as asking:
                asking.start_soon(unclear, channel.deliver, HELLO)
                await first.until(lambda: added(first))
                first.stop()
        async with codex_server(folder) as second:
            second.queue = [{"id": "q", "clientUserMessageId": HELLO.id}]
            second.paused = True
            yield second, channel, heard
        nursery.cancel_scope.cancel()


async def unclear(call: Callable[[Outgoing], Awaitable[object]], message: Outgoing) -> None:
    """The call must end so."""
    with pytest.raises(ChannelUnclear):
        await call(message)


async def test_a_refusal_is_no_loss(tmp_path: Path) -> None:
    """The server will not have it, and says why; the message is not taken for queued."""
    async with together(tmp_path) as (server, channel, _):
        server.refuses = {"thread/queue/add"}
        with pytest.raises(ChannelError, match="refused"):
            await channel.deliver(HELLO)
        server.refuses = set()
        assert await channel.deliver(HELLO) is Rung.QUEUED


async def test_nobody_there(tmp_path: Path) -> None:
    """Everything is refused, until somebody is."""
    heard = HeardCodex()
    channel = CodexChannel(place_of(tmp_path), heard)
    for act in (channel.deliver(HELLO), channel.holds("m-1"), channel.answer("p", "accept"), channel.interrupt()):
        with pytest.raises(ChannelDown):
            await act
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.run)
        await trio.testing.wait_all_tasks_blocked()
        async with codex_server(tmp_path):
            await heard.until(lambda said: isinstance(said, Up))
            nursery.cancel_scope.cancel()


async def test_a_server_that_answers_no_ping_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be stopped, or hang."""
    monkeypatch.setattr(link, "PING_EVERY_S", 0.05)
    monkeypatch.setattr(link, "PONG_WITHIN_S", 0.0)
    async with together(tmp_path) as (_, _, heard):
        await heard.until(lambda said: isinstance(said, ChannelLost))


async def test_something_else_on_the_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What speaks no WebSocket is left, and tried again."""
    monkeypatch.setattr(codex, "RETRIES_S", (0.01,))
    called, again = trio.Event(), trio.Event()

    async def gibberish(stream: trio.SocketStream) -> None:
        (again if called.is_set() else called).set()
        await stream.receive_some()
        await stream.send_all(b"no\r\n\r\n")

    listening = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    await listening.bind(str(tmp_path / "app.sock"))
    listening.listen()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, gibberish, [trio.SocketListener(listening)])
        channel = CodexChannel(place_of(tmp_path), HeardCodex())
        nursery.start_soon(channel.run)
        with trio.fail_after(10):
            await again.wait()
        assert not channel.up
        nursery.cancel_scope.cancel()
