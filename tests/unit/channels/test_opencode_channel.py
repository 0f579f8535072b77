"""The channel against a real HTTP server on loopback that behaves as opencode's."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.unit.channels._heard import Heard
from tests.unit.channels._opencode_server import PASSWORD, OpencodeServer, opencode_server
from tmuxorc.agents.evidence import ChannelLost, PromptSeen
from tmuxorc.channels import (
    ChannelDown,
    ChannelError,
    ChannelUnclear,
    Outgoing,
    Place,
    PromptOver,
    SessionKnown,
    Up,
    channel_class,
)
from tmuxorc.channels import _http as http
from tmuxorc.channels.opencode import OpencodeChannel
from tmuxorc.model import Rung

PERMISSION = {"id": "per_1", "sessionID": "ses_0", "permission": "bash", "metadata": {"command": "date"}}
HELLO = Outgoing(id="m-1", text="hello")


def place_of(port: int, folder: Path, *, password: str = PASSWORD, session: str = "") -> Place:
    """Where such a server is reached."""
    return Place(
        folder=str(folder), program="opencode", cwd="/", home="/", port=port, password=password, session=session
    )


@asynccontextmanager
async def channel_to(place: Place) -> AsyncGenerator[tuple[OpencodeChannel, Heard]]:
    """A channel that runs within the block and is up."""
    heard = Heard()
    channel = OpencodeChannel(place, heard)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.run)
        await heard.until(lambda said: isinstance(said, Up))
        yield channel, heard
        nursery.cancel_scope.cancel()


async def answered(server: OpencodeServer, name: str) -> None:
    """The model is given the message."""
    info = {"id": "msg_a", "role": "assistant", "sessionID": "ses_0", "parentID": name}
    server.messages["msg_a"] = {"info": info}
    await server.say("message.updated", sessionID="ses_0", info=info)


async def shown(server: OpencodeServer) -> str:
    """opencode shows the message that was posted last; its id."""
    name = list(server.messages)[-1]
    await server.say("message.updated", sessionID="ses_0", info=server.messages[name]["info"])
    return name


async def become(server: OpencodeServer, status: str) -> None:
    """The session's status changes."""
    server.status = {} if status == "idle" else {"ses_0": {"type": status}}
    await server.say("session.status", sessionID="ses_0", status={"type": status})


def test_it_is_found_by_its_name() -> None:
    """As kinds name it."""
    assert channel_class("opencode") is OpencodeChannel


async def test_it_makes_a_session_and_shows_it(tmp_path: Path) -> None:
    """The version is told, and the session's name, and the state."""
    async with opencode_server() as server, channel_to(place_of(server.port, tmp_path)) as (channel, heard):
        await heard.word("idle")
        assert server.sessions == ["ses_0"]
        assert server.selected[:1] == ["ses_0"]
        assert heard.all[:2] == [SessionKnown(session="ses_0"), Up(version="1.18.33")]
        assert "ses_0" in repr(channel)


async def test_a_new_session_is_shown_until_something_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal does not listen at first; a person who has begun to talk is left where they are."""
    monkeypatch.setattr("tmuxorc.channels.opencode.SHOW_AGAIN_S", (0.0, 0.0))
    async with opencode_server() as server, channel_to(place_of(server.port, tmp_path)) as (channel, heard):
        with trio.fail_after(10):
            while len(server.selected) < 3:
                await server.changed.wait()
        await channel.deliver(HELLO)
        assert server.selected == ["ses_0"] * 4
        await answered(server, await shown(server))
        await heard.receipt("m-1", Rung.TAKEN_IN)
        await channel.deliver(Outgoing(id="m-2", text="more"))
        assert len(server.selected) == 4


async def test_a_later_supervisor_goes_on_with_the_session(tmp_path: Path) -> None:
    """It is not taken away from what the person looks at."""
    async with opencode_server() as server:
        for _ in range(2):
            async with channel_to(place_of(server.port, tmp_path)):
                assert server.sessions == ["ses_0"]


async def test_a_session_that_is_gone_is_replaced(tmp_path: Path) -> None:
    """Be it when connecting or when a message is sent."""
    async with (
        opencode_server() as server,
        channel_to(place_of(server.port, tmp_path, session="ses_gone")) as (channel, heard),
    ):
        server.sessions[0] = "ses_other"
        assert await channel.deliver(HELLO) is Rung.QUEUED
        await heard.until(lambda said: said == SessionKnown(session="ses_1"))


async def test_a_message_and_its_receipt(tmp_path: Path) -> None:
    """Exact text, `queued` at once, `taken_in` when an answer is begun; a second time nothing is sent."""
    text = "/help\ttab\nΩ \u200b \\"
    async with opencode_server() as server, channel_to(place_of(server.port, tmp_path)) as (channel, heard):
        assert await channel.deliver(Outgoing(id="m-1", text=text)) is Rung.QUEUED
        name = await shown(server)
        assert server.messages[name]["parts"] == [{"type": "text", "text": text}]
        await answered(server, name)
        await heard.receipt("m-1", Rung.TAKEN_IN)
        assert await channel.deliver(HELLO) is Rung.TAKEN_IN
        assert len(server.messages) == 2


async def test_a_message_whose_answer_was_lost_is_not_sent_twice(tmp_path: Path) -> None:
    """It may have arrived: here it had, and waits for the end of the turn."""
    async with opencode_server() as server, channel_to(place_of(server.port, tmp_path)) as (channel, heard):
        server.hang_up = "/session/ses_0/prompt"
        with pytest.raises(ChannelUnclear):
            await channel.deliver(HELLO)
        server.hang_up = ""
        await become(server, "busy")
        await heard.word("busy")
        assert await channel.holds("m-1") is True
        assert await channel.deliver(HELLO) is Rung.QUEUED
        assert len(server.messages) == 1


async def test_a_message_that_never_arrived_is_sent_again(tmp_path: Path) -> None:
    """Under a new id."""
    async with opencode_server() as server, channel_to(place_of(server.port, tmp_path)) as (channel, _):
        server.hang_up = "/session/ses_0/prompt"
        with pytest.raises(ChannelUnclear):
            await channel.deliver(HELLO)
        server.hang_up = ""
        server.messages.clear()
        assert await channel.deliver(HELLO) is Rung.QUEUED
        assert len(server.messages) == 1


async def test_a_message_left_behind_by_a_broken_turn_goes_out_anew(tmp_path: Path) -> None:
    """It is told, and when sent again the old one is taken away: the person sees it once."""
    async with opencode_server() as server, channel_to(place_of(server.port, tmp_path)) as (channel, heard):
        await become(server, "busy")
        await channel.deliver(HELLO)
        old = await shown(server)
        await become(server, "idle")
        await heard.receipt("m-1", Rung.ACCEPTED)
        assert await channel.holds("m-1") is False
        assert await channel.deliver(HELLO) is Rung.QUEUED
        (new,) = server.messages
        assert new > old


async def test_a_message_that_begins_to_be_read_is_left_alone(tmp_path: Path) -> None:
    """opencode refuses to take it away while a turn runs."""
    async with opencode_server() as server, channel_to(place_of(server.port, tmp_path)) as (channel, _):
        await channel.deliver(HELLO)
        server.status = {"ses_0": {"type": "busy"}}
        assert await channel.deliver(HELLO) is Rung.QUEUED
        assert len(server.messages) == 1


async def test_what_an_earlier_life_sent_is_known(tmp_path: Path) -> None:
    """By the ids in the session: what the model was given, what waits, what is not there."""
    async with opencode_server() as server:
        async with channel_to(place_of(server.port, tmp_path)) as (channel, _):
            await channel.deliver(HELLO)
            await answered(server, await shown(server))
            await channel.deliver(Outgoing(id="m-2", text="more"))
        await become(server, "busy")
        async with channel_to(place_of(server.port, tmp_path)) as (channel, heard):
            await heard.receipt("m-1", Rung.TAKEN_IN)
            assert [await channel.holds(name) for name in ("m-1", "m-2", "m-3")] == [True, True, False]


async def test_a_prompt_is_answered_by_its_id(tmp_path: Path) -> None:
    """One that is open already when we come is known; an answer that comes late meets nothing."""
    async with opencode_server() as server:
        server.permissions["per_1"] = PERMISSION
        async with channel_to(place_of(server.port, tmp_path)) as (channel, heard):
            await heard.word("permission")
            await channel.answer("per_1", "once")
            assert server.answers == [("per_1", "once")]
            with pytest.raises(PromptOver):
                await channel.answer("per_1", "once")
            with pytest.raises(PromptOver):
                await channel.answer("per_9", "once")
            await heard.until(
                lambda said: said == PromptSeen(at=said.at, prompt=None) if isinstance(said, PromptSeen) else False
            )


async def test_an_interrupt_turns_prompts_down_first(tmp_path: Path) -> None:
    """Or their dialogs would stay; one that is over by then is no trouble."""
    async with opencode_server() as server:
        server.permissions = {"per_1": PERMISSION, "per_2": PERMISSION | {"id": "per_2"}}
        async with channel_to(place_of(server.port, tmp_path)) as (channel, _):
            del server.permissions["per_1"]
            await channel.interrupt()
        assert server.answers == [("per_1", "reject"), ("per_2", "reject")]
        assert server.aborted == ["ses_0"]


async def test_it_connects_anew(tmp_path: Path) -> None:
    """What was said before counts no more; then it is said again."""
    async with opencode_server() as server, channel_to(place_of(server.port, tmp_path)) as (channel, heard):
        await heard.word("idle")
        await server.drop()
        await heard.until(lambda said: isinstance(said, ChannelLost))
        heard.all.clear()
        with pytest.raises(ChannelDown):
            await channel.deliver(HELLO)
        await heard.word("idle")
        assert server.sessions == ["ses_0"]


async def test_silence_is_a_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that hangs sends no heartbeat."""
    monkeypatch.setattr("tmuxorc.channels.opencode.SILENCE_S", 0.05)
    async with opencode_server() as server, channel_to(place_of(server.port, tmp_path)) as (_, heard):
        lost = await heard.until(lambda said: isinstance(said, ChannelLost))
        assert isinstance(lost, ChannelLost)
        assert lost.why == "it has fallen silent"


async def test_requests_that_fail_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody there; a stranger; no answer in time; an answer that is none."""
    async with opencode_server() as server:
        with pytest.raises(ChannelDown):
            await http.HttpServer(1, "opencode", PASSWORD).ask("GET", "/session")
        stranger = OpencodeChannel(place_of(server.port, tmp_path, password="wrong"), Heard())
        with pytest.raises(ChannelDown, match="401"):
            await stranger._follow()
        with pytest.raises(ChannelDown):
            await stranger.deliver(HELLO)
        server.broken = "/global"
        with pytest.raises(ChannelError, match="not what was expected"):
            await OpencodeChannel(place_of(server.port, tmp_path), Heard())._follow()
        monkeypatch.setattr(http, "PATIENCE_S", 0.0)
        with pytest.raises(ChannelError):
            await http.HttpServer(server.port, "opencode", PASSWORD).ask("GET", "/session")


async def test_a_refusal_is_told(tmp_path: Path) -> None:
    """With what opencode says of it."""
    async with opencode_server() as server, channel_to(place_of(server.port, tmp_path)) as (channel, _):
        server.sessions[:] = ["", ""]
        with pytest.raises(ChannelError, match="404"):
            await channel.interrupt()
