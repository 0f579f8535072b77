"""A small app-server: a real WebSocket on a Unix socket, with one thread that behaves as codex's does.

While `paused` it starts nothing from its queue by itself, as after an interruption; `silent` names methods that it
takes in and does not answer, `refuses` and `nonsense` those that it answers so.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

THREAD = "01a20000-0000-7000-8000-000000000001"
REFUSED = -32600


class Refusal(Exception):
    """What the server will not do."""


class CodexServer:
    """`asked` are all requests, `items` what was said in the thread, `answers` what its own requests were answered."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[int, Any] = {}
        self.queue: list[dict[str, Any]] = []
        self.items: list[dict[str, Any]] = []
        self.turn = ""
        self.written = True
        self.paused = False
        self.silent: set[str] = set()
        self.refuses: set[str] = set()
        self.nonsense: set[str] = set()
        self._sockets: list[WebSocketConnection] = []
        self._scope = trio.CancelScope()
        self._turns = 0
        self._changed = trio.Event()

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for what a request brings about, ten seconds at most."""
        with trio.fail_after(10):
            while not holds():
                await self._changed.wait()

    async def run(self) -> None:
        """Listen until `stop`."""
        listening = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
        self.path.unlink(missing_ok=True)
        await listening.bind(str(self.path))
        listening.listen()
        with self._scope:
            await trio.serve_listeners(self._serve, [trio.SocketListener(listening)])

    def stop(self) -> None:
        """Hang up on everybody."""
        self._scope.cancel()
        self._sockets.clear()

    async def _serve(self, stream: trio.SocketStream) -> None:
        async with trio.open_nursery() as nursery:
            request = await wrap_server_stream(nursery, stream, max_message_size=1 << 24)
            socket = await request.accept()
            self._sockets.append(socket)
            try:
                while True:
                    await self._take(socket, msgspec.json.decode(await socket.get_message()))
            except ConnectionClosed:
                nursery.cancel_scope.cancel()

    async def _take(self, socket: WebSocketConnection, frame: dict[str, Any]) -> None:
        method = frame.get("method")
        if method is None:
            self.answers[frame["id"]] = frame["result"]
            await self.say("serverRequest/resolved", requestId=frame["id"])
        elif "id" in frame:
            self.asked.append((method, frame["params"]))
            if method not in self.silent:
                await socket.send_message(
                    msgspec.json.encode({"id": frame["id"], **self._answer(method, frame)}).decode()
                )
            await self._after(method)
        self._changed.set()
        self._changed = trio.Event()

    def _answer(self, method: str, frame: dict[str, Any]) -> dict[str, Any]:
        if method in self.nonsense:
            return {"result": {"data": 7}}
        if method in self.refuses:
            return {"error": {"code": REFUSED, "message": "refused"}}
        try:
            answers: dict[str, Callable[[dict[str, Any]], Any]] = {
                "initialize": lambda _: {"userAgent": "codex-tui/0.169.0 (x)"},
                "thread/loaded/list": lambda _: {"data": [THREAD]},
                "thread/read": lambda _: {"thread": self.thread},
                "thread/resume": self._resume,
                "thread/queue/list": lambda _: {"data": self.queue, "nextCursor": None},
                "thread/queue/add": self._add,
                "thread/queue/start": self._start,
                "thread/items/list": self._page,
                "thread/turns/list": lambda _: {"data": self._turns_said()},
                "turn/steer": self._steer,
                "turn/interrupt": self._interrupt,
            }
            return {"result": answers[method](frame["params"])}
        except Refusal as refusal:
            return {"error": {"code": REFUSED, "message": str(refusal)}}

    async def _after(self, method: str) -> None:
        if method == "thread/queue/start" or (method == "thread/queue/add" and not (self.turn or self.paused)):
            await self.begin()

    @property
    def thread(self) -> dict[str, Any]:
        """The thread as it is described."""
        status = {"type": "active", "activeFlags": []} if self.turn else {"type": "idle"}
        return {"id": THREAD, "preview": "x" if self.items else "", "status": status}

    def _resume(self, _: object) -> dict[str, Any]:
        if not self.written:
            raise Refusal("no rollout found")
        return {"thread": self.thread}

    def _add(self, params: dict[str, Any]) -> dict[str, Any]:
        self.queue.append({"id": "q", "clientUserMessageId": params["clientUserMessageId"], "input": params["input"]})
        return {"queuedSubmission": self.queue[-1]}

    def _start(self, _: object) -> dict[str, Any]:
        if self.turn or not self.queue:
            raise Refusal("queue is empty")
        return {"turn": {"id": "next"}}

    def _page(self, params: dict[str, Any]) -> dict[str, Any]:
        """Newest first, two at a time: there is always a next page in a thread worth looking through."""
        start = int(params["cursor"] or 0)
        entries = [{"turnId": "t", "item": item} for item in reversed(self.items)]
        more = str(start + 2) if len(entries) > start + 2 else None
        return {"data": entries[start : start + 2], "nextCursor": more}

    def _turns_said(self) -> list[dict[str, Any]]:
        if self.turn:
            said = [item for item in self.items if item["turn"] == self.turn]
            return [{"id": self.turn, "status": "inProgress", "items": said}]
        return [{"id": "t", "status": "completed", "items": self.items[-1:]}]

    def _steer(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["expectedTurnId"] != self.turn:
            raise Refusal("no active turn to steer")
        return {"turnId": self.turn}

    def _interrupt(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["turnId"] != self.turn:
            raise Refusal("no active turn to interrupt")
        return {}

    # --- what happens in it ---

    async def say(self, method: str, **params: Any) -> None:
        """Tell everybody."""
        await self.send({"method": method, "params": {"threadId": THREAD, **params}})

    async def send(self, frame: dict[str, Any]) -> None:
        """The same frame to everybody."""
        for socket in self._sockets:
            await socket.send_message(msgspec.json.encode(frame).decode())

    async def status(self, word: str, *flags: str) -> None:
        """The thread's status changes."""
        await self.say("thread/status/changed", status={"type": word, "activeFlags": flags})

    async def begin(self) -> None:
        """A turn begins with the first message of the queue."""
        if self.queue and not self.turn:
            self._turns += 1
            self.turn = f"turn-{self._turns}"
            message = self.queue.pop(0)
            await self.status("active")
            await self.say("turn/started", turn={"id": self.turn, "status": "inProgress"})
            await self.hear(message["clientUserMessageId"])

    async def hear(self, message_id: str) -> None:
        """The model is given a message."""
        item = {"id": "i", "type": "userMessage", "clientId": message_id, "turn": self.turn}
        self.items.append(item)
        await self.say("item/started", item=item)

    async def end(self, status: str = "completed") -> None:
        """The turn ends; an interruption stalls the queue."""
        turn, self.turn = self.turn, ""
        self.paused = status == "interrupted"
        await self.status("idle")
        await self.say("turn/completed", turn={"id": turn, "status": status})
        if not self.paused:
            await self.begin()


@asynccontextmanager
async def codex_server(folder: Path) -> AsyncGenerator[CodexServer]:
    """A server for as long as the block runs."""
    server = CodexServer(folder / "app.sock")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run)
        yield server
        server.stop()
