"""The channel to opencode: its own HTTP server on the loopback interface, and the events it sends (seen on 1.18.33).

One connection carries the events for as long as the process lives; it sends something every ten seconds.  A session is
made at the start and shown in the terminal, so that the person sees what is said in it.
"""

import time
from typing import ClassVar, TypeVar

import msgspec
import trio

from tmuxorc.agents.evidence import ChannelLost
from tmuxorc.channels._base import (
    Ability,
    Channel,
    ChannelDown,
    ChannelError,
    Outgoing,
    Place,
    PromptOver,
    Report,
    Said,
    SessionKnown,
    Up,
)
from tmuxorc.channels._http import HttpServer, Reply
from tmuxorc.channels._opencode_messages import Message, Sent, only
from tmuxorc.channels._opencode_prompts import Asked, permission, question
from tmuxorc.channels._opencode_protocol import NAME, Listed, OpencodeTalk, Status
from tmuxorc.channels._sse import SseDecoder
from tmuxorc.model import Rung

USER = "opencode"
SILENCE_S = 30.0
"""Three heartbeats."""

SOON_S, LATER_S = 0.25, 2.0
"""Between attempts to connect: for as long as it may take to start, and after that."""

START_S = 60.0
RECENT = 50
"""Messages looked at after a connection."""

SHOW_AGAIN_S = (1.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Pauses between attempts to show a new session: the terminal begins to listen some time after the port does."""

SESSION = "session"
"""File in the private folder: the session that is gone on with by a later supervisor."""

T = TypeVar("T")


class _Health(msgspec.Struct):
    version: str = ""


class _Made(msgspec.Struct):
    id: str


class OpencodeChannel(Channel):
    """The way into one opencode process."""

    name: ClassVar[str] = NAME
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        (Ability.DELIVER, Ability.QUEUE, Ability.RECEIPT, Ability.STATE, Ability.PROMPTS, Ability.INTERRUPT)
    )

    def __init__(self, place: Place, report: Report) -> None:
        super().__init__(place, report)
        self._server = HttpServer(place.port, USER, place.password)
        self._talk = OpencodeTalk(_remembered(place) or place.session)
        self._made = ""
        self._came_up = trio.Event()

    def __repr__(self) -> str:
        return f"<OpencodeChannel {'up' if self.up else 'down'} {self._talk!r}>"

    # --- its life ---

    async def run(self) -> None:
        """As `Channel.run`."""
        started = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._show_again)
            while True:
                try:
                    await self._follow()
                except ChannelError as error:
                    self._lose(str(error))
                await trio.sleep(SOON_S if trio.current_time() < started + START_S else LATER_S)

    async def _follow(self) -> None:
        decoder = SseDecoder()
        async with self._server.stream("/event", SILENCE_S) as pieces:
            hello = await pieces.receive()  # what happens from now on will be told
            await self._begin()
            self._hear(decoder.feed(hello))
            while True:
                self._hear(decoder.feed(await pieces.receive()))

    def _hear(self, events: list[bytes]) -> None:
        for data in events:
            self._report(self._talk.take(data, trio.current_time()))

    async def _begin(self) -> None:
        version = (await self._get("/global/health", _Health)).version
        await self._ensure_session()
        statuses = await self._get("/session/status", dict[str, Status])
        asked = [*map(permission, await self._get("/permission", list[msgspec.Raw]))]
        asked += map(question, await self._get("/question", list[msgspec.Raw]))
        messages = await self._messages(f"?limit={RECENT}")
        self.up = True
        self._came_up.set()
        self.report(Up(version=version))
        self._report(self._talk.catch_up(trio.current_time(), statuses, asked, messages))

    def _lose(self, why: str) -> None:
        self._talk.lose()
        if self.up:
            self.up = False
            self.report(ChannelLost(at=trio.current_time(), channel=self.name, why=why))

    def _report(self, said: list[Said]) -> None:
        for one in said:
            if isinstance(one, SessionKnown):
                _remember(self.place, one.session)
            self.report(one)

    # --- its session ---

    async def _ensure_session(self) -> None:
        """Go on with the session that is known, if it is there still, else make one and show it."""
        session = self._talk.session
        if not session or (await self._server.ask("GET", f"/session/{session}")).status == 404:
            session = self._made = _decode(await self._done("POST", "/session", b"{}"), _Made).id
        self._talk.session = session
        await self._show()
        self._report([SessionKnown(session=session)])

    async def _show(self) -> None:
        """A session of our making, until something was said in it; a draft goes along, and nothing else happens."""
        if self._made and self._made == self._talk.session and not self._talk.begun:
            await self._server.ask("POST", "/tui/select-session", msgspec.json.encode({"sessionID": self._made}))

    async def _show_again(self) -> None:
        await self._came_up.wait()
        for pause_s in SHOW_AGAIN_S:
            await trio.sleep(pause_s)
            try:
                await self._show()
            except ChannelError:
                pass  # it is shown again with the first message at the latest

    async def _messages(self, query: str = "") -> list[Message]:
        return [one.info for one in await self._get(f"/session/{self._talk.session}/message{query}", list[Listed])]

    # --- messages ---

    async def deliver(self, message: Outgoing) -> Rung:
        """As `Channel.deliver`: `QUEUED`, or `TAKEN_IN` if the model was given it before."""
        self._require()
        ledger = self._talk.messages
        if ledger.was_taken(message.id):
            return Rung.TAKEN_IN
        sent = ledger.find(message.id)
        if sent is not None and await self._waits(sent):
            return Rung.TAKEN_IN if ledger.was_taken(message.id) else Rung.QUEUED
        await self._show()
        if not self._talk.session or (await self._send(message)).status == 404:
            await self._ensure_session()
            _check(await self._send(message))
        return Rung.QUEUED

    async def _send(self, message: Outgoing) -> Reply:
        body = self._talk.prompt(message.id, message.text, time.time_ns() // 1_000_000)
        reply = await self._server.ask("POST", f"/session/{self._talk.session}/prompt_async", body)
        return reply if reply.status == 404 else _check(reply)

    async def _waits(self, sent: Sent) -> bool:
        """Whether a message sent before is there and will be read; one that was left behind is taken away."""
        path = f"/session/{sent.session}/message/{sent.id}"
        if (await self._server.ask("GET", path)).status == 404:
            return False
        return self._talk.busy or (await self._server.ask("DELETE", path)).status == 409

    async def holds(self, message_id: str) -> bool | None:
        """As `Channel.holds`; what it has but will never read counts as not held."""
        self._require()
        ledger = self._talk.messages
        if ledger.find(message_id) is None and not ledger.was_taken(message_id):
            found = only(message_id, await self._messages())
            self._report(self._talk.look(found, trio.current_time()))
        return ledger.was_taken(message_id) or (ledger.find(message_id) is not None and self._talk.busy)

    # --- prompts and turns ---

    async def answer(self, prompt_id: str, key: str) -> None:
        """As `Channel.answer`."""
        self._require()
        asked = self._talk.prompts.get(prompt_id)
        if asked is None:
            raise PromptOver("this prompt is no longer open")
        await self._answer(asked, key)

    async def _answer(self, asked: Asked, key: str) -> None:
        path, body = asked.answer(key)
        reply = await self._server.ask("POST", path, body)
        if reply.status == 404:
            self._report(self._talk.forget(asked.prompt.id, trio.current_time()))
            raise PromptOver("this prompt is no longer open")
        _check(reply)

    async def interrupt(self) -> None:
        """As `Channel.interrupt`.  Prompts are turned down first: aborting alone leaves their dialogs open for good."""
        self._require()
        for asked in list(self._talk.prompts.values()):
            try:
                await self._answer(asked, asked.prompt.deny)
            except PromptOver:
                pass
        await self._done("POST", f"/session/{self._talk.session}/abort", b"{}")

    # --- requests ---

    def _require(self) -> None:
        if not self.up:
            raise ChannelDown("opencode does not answer")

    async def _get(self, path: str, shape: type[T]) -> T:
        return _decode(_check(await self._server.ask("GET", path)), shape)

    async def _done(self, method: str, path: str, body: bytes) -> Reply:
        return _check(await self._server.ask(method, path, body))


def _check(reply: Reply) -> Reply:
    if not reply.good:
        raise ChannelError(f"opencode answered with status {reply.status}: {reply.body[:200].decode(errors='replace')}")
    return reply


def _decode(reply: Reply, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(reply.body, type=shape)
    except msgspec.MsgspecError as error:
        raise ChannelError(f"opencode's answer is not what was expected: {error}") from error


def _remembered(place: Place) -> str:
    try:
        with open(f"{place.folder}/{SESSION}", encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def _remember(place: Place, session: str) -> None:
    try:
        with open(f"{place.folder}/{SESSION}", "w", encoding="utf-8") as file:
            file.write(session)
    except OSError:
        pass  # a later supervisor makes a session of its own
