"""The channel to codex: its app-server, which runs beside the agent, by WebSocket on a Unix socket.

Every message goes into the thread's queue, which codex empties at the end of each turn and at once while idle: a race
can never cut a running answer.  After an interruption codex leaves the queue alone; then it is set going again.
The queue outlives the server: codex writes it down.
"""

from contextlib import suppress

import trio

from tmuxorc.agents.evidence import ChannelLost
from tmuxorc.channels import _codex_frames as frames
from tmuxorc.channels._base import (
    Ability,
    Channel,
    ChannelDown,
    ChannelError,
    ChannelUnclear,
    Outgoing,
    Place,
    PromptOver,
    Report,
    Said,
    SessionKnown,
    Up,
)
from tmuxorc.channels._codex_link import ANSWER_WITHIN_S, Link, Refused, run_link
from tmuxorc.channels._codex_protocol import receipt
from tmuxorc.model import Rung

SOCKET = "app.sock"
RETRIES_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""The waits between attempts to connect; the last one repeats."""

SETTLE_S = 0.3
"""How long codex has for starting what is in its queue by itself."""

PERSON_FIRST_S = 3.0
"""How long the queue rests after a person interrupted a turn, so that they can type."""

LOOK_AGAIN_S = 0.1
PAGE = 100


class CodexChannel(Channel):
    """A way into one codex; `place.folder` holds the server's socket."""

    name = "codex"
    abilities = frozenset(set(Ability) - {Ability.TRANSCRIPT})

    def __init__(self, place: Place, report: Report) -> None:
        super().__init__(place, report)
        self._link: Link | None = None
        self._session = place.session
        self._doubtful: set[str] = set()

    def __repr__(self) -> str:
        return f"<CodexChannel {'up' if self.up else 'down'} {self._link!r}>"

    async def run(self) -> None:
        """Connect anew whenever the connection is lost."""
        waits = iter(RETRIES_S)
        while True:
            await run_link(
                f"{self.place.folder}/{SOCKET}", self._session, self._said, self._opened, self._keep_queue_going
            )
            self._link = None
            if self.up:
                waits = iter(RETRIES_S)
                self._said(ChannelLost(at=trio.current_time(), channel=self.name, why="the app-server hung up"))
            await trio.sleep(next(waits, RETRIES_S[-1]))

    def _opened(self, link: Link) -> None:
        self._link = link

    def _said(self, said: Said) -> None:
        if isinstance(said, Up | ChannelLost):
            self.up = isinstance(said, Up)
        if isinstance(said, SessionKnown):
            self._session = said.session
        self.report(said)

    def _here(self) -> Link:
        if self._link is None or not self._link.protocol.thread:
            raise ChannelDown("codex's app-server is not there, or has no thread yet")
        return self._link

    # --- messages ---

    async def deliver(self, message: Outgoing) -> Rung:
        """Queue it, or put it into the running turn if asked to."""
        link = self._here()
        turn = link.protocol.turn
        if not (message.steer and turn and await self._steer(link, message, turn)):
            await self._queue(link, message)
        return Rung.QUEUED

    async def _queue(self, link: Link, message: Outgoing) -> None:
        """Codex itself would take a message twice."""
        protocol = link.protocol
        if message.id in protocol.ours or message.id in protocol.heard or await self._held_after_all(message):
            return
        protocol.ours.add(message.id)
        self._doubtful.add(message.id)
        try:
            await link.ask("thread/queue/add", **_params(protocol.thread, message))
        except Refused:
            protocol.ours.discard(message.id)
            self._doubtful.discard(message.id)
            raise
        self._doubtful.discard(message.id)
        if message.id not in protocol.heard:
            protocol.ours.add(message.id)
        link.news()

    async def _held_after_all(self, message: Outgoing) -> bool:
        """Whether an attempt whose end was not seen has come through."""
        if message.id not in self._doubtful:
            return False
        held = await self.holds(message.id)
        if held is None:
            raise ChannelUnclear("codex does not say whether it has the message")
        return held

    async def _steer(self, link: Link, message: Outgoing, turn: str) -> bool:
        """Codex itself compares the turn: one that has just ended takes nothing."""
        try:
            await link.ask("turn/steer", expectedTurnId=turn, **_params(link.protocol.thread, message))
        except Refused:
            return False
        return True

    async def holds(self, message_id: str) -> bool | None:
        """Look through the queue, then through what was said; a message on its way between the two is waited for."""
        link = self._here()
        with trio.move_on_after(ANSWER_WITHIN_S), suppress(Refused, ChannelUnclear):
            while not await self._holds(link, message_id):
                if not await self._between(link):
                    return False
                await trio.sleep(LOOK_AGAIN_S)
            return True
        return None

    async def _holds(self, link: Link, message_id: str) -> bool:
        if message_id in await self._queued(link):
            return True
        found = await self._find(link, message_id)
        if found is None:
            return False
        link.protocol.ours.discard(message_id)
        self.report(receipt(found))
        return True

    async def _queued(self, link: Link) -> set[str]:
        names: set[str] = set()
        cursor: str | None = None
        while True:
            page = await link.fetch(
                frames.Queued, "thread/queue/list", threadId=link.protocol.thread, limit=PAGE, cursor=cursor
            )
            names.update(one.client_user_message_id for one in page.data)
            cursor = page.next_cursor
            if cursor is None:
                return names

    async def _find(self, link: Link, message_id: str) -> frames.Item | None:
        """The item with this message, newest first; none in a thread in which nothing was said yet."""
        cursor: str | None = None
        while link.protocol.following:
            thread = link.protocol.thread
            page = await link.fetch(
                frames.Items, "thread/items/list", threadId=thread, limit=PAGE, sortDirection="desc", cursor=cursor
            )
            found = next((entry.item for entry in page.data if entry.item.client_id == message_id), None)
            cursor = page.next_cursor
            if found is not None or cursor is None:
                return found
        return None

    async def _between(self, link: Link) -> bool:
        """Whether a turn has begun of which it is not yet written down what was said."""
        if not link.protocol.following:
            return not link.protocol.idle
        turns = (
            await link.fetch(
                frames.Turns, "thread/turns/list", threadId=link.protocol.thread, limit=1, sortDirection="desc"
            )
        ).data
        said = any(item.type == "userMessage" for turn in turns for item in turn.items)
        return bool(turns) and turns[0].status == "inProgress" and not said

    async def _keep_queue_going(self, link: Link) -> None:
        protocol = link.protocol
        while True:
            if not protocol.stalled:
                await link.changed()
                continue
            with trio.move_on_after(PERSON_FIRST_S if protocol.interrupted else SETTLE_S):
                while protocol.stalled:
                    await link.changed()
            if protocol.stalled:
                await self._start_queue(link)
                with trio.move_on_after(SETTLE_S):
                    await link.changed()

    async def _start_queue(self, link: Link) -> None:
        """Codex compares as well: it starts nothing beside a running turn, and says so if there is nothing left."""
        try:
            await link.ask("thread/queue/start", threadId=link.protocol.thread)
        except Refused:
            link.protocol.ours.intersection_update(await self._queued(link))

    # --- prompts and turns ---

    async def answer(self, prompt_id: str, key: str) -> None:
        """Answer the server's own request, and wait until it says that it is over."""
        link = self._here()
        prompts = link.protocol.prompts
        found = next((one for one in prompts.values() if one.prompt.id == prompt_id), None)
        if found is None:
            raise PromptOver("this prompt is no longer open", hint="look again: agent info")
        if key not in found.results:
            raise ChannelError(f"this prompt has no option {key!a}", hint=f"options: {', '.join(found.results)}")
        await link.send(frames.encode(id=found.request, result=found.results[key]))
        with trio.move_on_after(ANSWER_WITHIN_S):
            while found in prompts.values() and not link.lost:
                await link.changed()
        if found in prompts.values():
            raise ChannelUnclear("codex did not say that the prompt is over")

    async def interrupt(self) -> None:
        """End the running turn; messages that wait are sent at once then."""
        link = self._here()
        turn = link.protocol.turn
        if not turn:
            return
        link.protocol.ended = turn
        with suppress(Refused):  # it ended meanwhile
            await link.ask("turn/interrupt", threadId=link.protocol.thread, turnId=turn)
        with trio.move_on_after(ANSWER_WITHIN_S):
            while link.protocol.turn == turn and not link.lost:
                await link.changed()


def _params(thread: str, message: Outgoing) -> dict[str, object]:
    return {"threadId": thread, "clientUserMessageId": message.id, "input": frames.text_input(message.text)}
