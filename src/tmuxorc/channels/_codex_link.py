"""One WebSocket connection to codex's app-server: its protocol kept running, and those who wait for answers."""

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import TypeVar

import h11
import msgspec
import trio
from trio_websocket import ConnectionClosed, HandshakeError, WebSocketConnection, wrap_client_stream
from wsproto.utilities import ProtocolError

from tmuxorc.channels import _codex_frames as frames
from tmuxorc.channels._base import ChannelDown, ChannelError, ChannelUnclear, Said
from tmuxorc.channels._codex_frames import Id
from tmuxorc.channels._codex_protocol import CodexProtocol, Output, Reply, Send

OPEN_WITHIN_S = 5.0
PING_EVERY_S = 10.0
PONG_WITHIN_S = 5.0
ANSWER_WITHIN_S = 10.0
POKE_EVERY_S = 0.1
READ_BYTES = 1 << 16

GONE = (ConnectionClosed, ProtocolError)
"""How the library says that the connection is closed; the second while it is closing."""

_connections = count(1)
_T = TypeVar("_T")


class Refused(ChannelError):
    """The server has understood the request, and will not."""

    code = "channel_refused"


class Link:
    """An open connection; `protocol` may be read at any time."""

    def __init__(self, socket: WebSocketConnection, session: str, said: Callable[[Said], None]) -> None:
        self.protocol = CodexProtocol(f"codex{next(_connections)}", session)
        self.lost = False
        self._socket = socket
        self._said = said
        self._changed = trio.Event()
        self._answers: dict[Id, Reply] = {}

    def __repr__(self) -> str:
        return f"<Link {'lost' if self.lost else 'open'} {self.protocol!r}>"

    async def listen(self) -> None:
        """Take in what comes until the connection ends."""
        await self._do(self.protocol.begin())
        while True:
            text = await self._socket.get_message()
            await self._do(self.protocol.receive(text, trio.current_time()))
            self.news()

    async def keep_alive(self) -> None:
        """Return when the server no longer answers a ping."""
        while True:
            await trio.sleep(PING_EVERY_S)
            with trio.move_on_after(PONG_WITHIN_S) as patience:
                await self._socket.ping()
            if patience.cancelled_caught:
                return

    async def poke(self) -> None:
        """Let the protocol try again while it has to."""
        while True:
            while not self.protocol.restless:
                await self.changed()
            await trio.sleep(POKE_EVERY_S)
            await self._do(self.protocol.poke())

    async def _do(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send():
                    await self._socket.send_message(output.text)
                case Reply():
                    self._answers[output.id] = output
                case _:
                    self._said(output)

    async def changed(self) -> None:
        """Wait for the next news."""
        await self._changed.wait()

    def news(self) -> None:
        """Wake all who wait for a change."""
        self._changed.set()
        self._changed = trio.Event()

    async def ask(self, method: str, **params: object) -> msgspec.Raw:
        """The result of a request.  Raises `Refused`, `ChannelDown`, `ChannelUnclear`."""
        id_, text = self.protocol.ask(method, **params)
        await self.send(text)
        with trio.move_on_after(ANSWER_WITHIN_S):
            while not self.lost and id_ not in self._answers:
                await self.changed()
        answer = self._answers.pop(id_, None)
        if answer is None:
            raise ChannelUnclear(f"codex did not answer {method}")
        if answer.error is not None:
            raise Refused(f"codex refused {method}: {answer.error.message}")
        return answer.result

    async def fetch(self, type_: type[_T], method: str, **params: object) -> _T:
        """The result of a request, read as `type_`.  Raises as `ask`, also if it is no such thing."""
        result = await self.ask(method, **params)
        try:
            return msgspec.json.decode(result, type=type_)
        except msgspec.MsgspecError as error:
            raise ChannelUnclear(f"codex's answer to {method} is not understood") from error

    async def send(self, text: str) -> None:
        """Send a frame of our own.  Raises `ChannelDown`, or `ChannelUnclear` if it may have gone out in part."""
        if self.lost:
            raise ChannelDown("codex's app-server has hung up")
        try:
            await self._socket.send_message(text)
        except GONE as error:
            raise ChannelUnclear("codex's app-server hung up meanwhile") from error

    def lose(self) -> None:
        """The connection has ended."""
        self.lost = True
        self.news()


async def run_link(
    path: str,
    session: str,
    said: Callable[[Said], None],
    opened: Callable[[Link], None],
    beside: Callable[[Link], Awaitable[None]],
) -> None:
    """Connect to the server's socket at `path`, and return when nobody is there or the connection has ended.

    `session` is the thread last known.  `opened` is given the link, `beside` runs for as long as it is open; `said`
    takes what the protocol tells.
    """
    stream = await _connect(path)
    if stream is None:
        return
    try:
        async with trio.open_nursery() as nursery:
            socket = await _shake_hands(nursery, stream)
            if socket is not None:
                link = Link(socket, session, said)
                opened(link)
                await _run(link, beside)
            nursery.cancel_scope.cancel()
    except* (h11.ProtocolError, ProtocolError):
        pass  # the library's own reader fails so where the peer speaks something else
    finally:
        await trio.aclose_forcefully(stream)


async def _run(link: Link, beside: Callable[[Link], Awaitable[None]]) -> None:
    try:
        async with trio.open_nursery() as nursery:
            for task in (link.listen, link.keep_alive, link.poke, partial(beside, link)):
                nursery.start_soon(_until_over, task, nursery.cancel_scope)
    finally:
        link.lose()


async def _until_over(task: Callable[[], Awaitable[None]], connection: trio.CancelScope) -> None:
    """Run one of the connection's tasks; its end is the connection's."""
    try:
        await task()
    except (*GONE, ChannelError):
        pass
    finally:
        connection.cancel()


async def _connect(path: str) -> trio.SocketStream | None:
    try:
        return await trio.open_unix_socket(path)
    except OSError:
        return None


async def _shake_hands(nursery: trio.Nursery, stream: trio.SocketStream) -> WebSocketConnection | None:
    with trio.move_on_after(OPEN_WITHIN_S):
        try:
            return await wrap_client_stream(
                nursery,
                stream,
                "localhost",
                "/",
                max_message_size=frames.MAX_FRAME_BYTES,
                receive_buffer_size=READ_BYTES,
            )
        except (HandshakeError, ConnectionClosed):
            return None
    return None
