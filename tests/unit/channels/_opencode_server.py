"""A server on loopback that behaves as opencode's was seen to: sessions, messages, prompts, events.

`messages` holds what was posted by opencode's ids; `hang_up` makes the next request break after it was read.
"""

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import h11
import trio

PASSWORD = "secret"
AUTHORIZATION = f"Basic {base64.b64encode(b'opencode:' + PASSWORD.encode()).decode()}".encode()
NOT_FOUND = (404, {"name": "NotFoundError"})


class OpencodeServer:
    """Tests read and change its attributes; `say` sends an event."""

    def __init__(self) -> None:
        self.port = 0
        self.sessions: list[str] = []
        self.selected: list[str] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.status: dict[str, Any] = {}
        self.permissions: dict[str, dict[str, Any]] = {}
        self.answers: list[tuple[str, Any]] = []
        self.aborted: list[str] = []
        self.hang_up = ""
        self.broken = ""
        self._streams: set[trio.SocketStream] = set()
        self.changed = trio.Event()

    async def say(self, kind: str, **properties: Any) -> None:
        """An event, to everyone who listens."""
        data = json.dumps({"id": "evt_1", "type": kind, "properties": properties}).encode()
        await self.send(b"data: " + data + b"\n\n")

    async def send(self, data: bytes) -> None:
        """These bytes, to everyone who listens."""
        for stream in list(self._streams):
            await stream.send_all(b"%x\r\n%s\r\n" % (len(data), data))

    async def drop(self) -> None:
        """End the streams of events."""
        for stream in list(self._streams):
            await stream.aclose()

    async def serve(self, stream: trio.SocketStream) -> None:
        """One connection, one request."""
        async with stream:
            method, path, headers, body = await _read(stream)
            if self.hang_up and path.startswith(self.hang_up):
                self.answer(method, path, body)
                return
            if headers.get(b"authorization") != AUTHORIZATION:
                await _reply(stream, 401, {})
            elif path == "/event":
                await self._events(stream)
            elif self.broken and path.startswith(self.broken):
                await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope")
            else:
                await _reply(stream, *self.answer(method, path, body))
            self.changed.set()
            self.changed = trio.Event()

    async def _events(self, stream: trio.SocketStream) -> None:
        await stream.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        self._streams.add(stream)
        await self.say("server.connected")
        try:
            while await stream.receive_some(1):
                pass
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        self._streams.discard(stream)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """What opencode answers."""
        parts = path.partition("?")[0].strip("/").split("/")
        match (method, *parts):
            case ("GET", "global", "health"):
                return 200, {"healthy": True, "version": "1.18.33"}
            case ("GET", "session", "status"):
                return 200, self.status
            case ("GET", "permission"):
                return 200, list(self.permissions.values())
            case ("GET", "question"):
                return 200, []
            case ("POST", "session"):
                self.sessions.append(f"ses_{len(self.sessions)}")
                return 200, {"id": self.sessions[-1]}
            case ("POST", "tui", "select-session"):
                self.selected.append(body["sessionID"])
                return 200, True
            case (_, "permission", name, "reply"):
                self.answers.append((name, body["reply"]))
                return (200, True) if self.permissions.pop(name, None) else NOT_FOUND
        return self._session(method, parts[1], parts[2:], body) if parts[1] in self.sessions else NOT_FOUND

    def _session(self, method: str, session: str, rest: list[str], body: Any) -> tuple[int, Any]:
        match (method, *rest):
            case ("GET",):
                return 200, {"id": session}
            case ("GET", "message"):
                return 200, list(self.messages.values())
            case ("POST", "prompt_async"):
                name = body["messageID"]
                info = {"id": name, "role": "user", "sessionID": session}
                self.messages[name] = {"info": info, "parts": body["parts"], "asked": body}
                return 204, None
            case ("POST", "abort"):
                self.aborted.append(session)
                return 200, True
            case ("DELETE", "message", name):
                if self.status:
                    return 409, {}
                self.messages.pop(name, None)
                return 200, True
            case ("GET", "message", name):
                return (200, self.messages[name]) if name in self.messages else NOT_FOUND
        return NOT_FOUND


@asynccontextmanager
async def opencode_server() -> AsyncGenerator[OpencodeServer]:
    """Listens within the block."""
    server = OpencodeServer()
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, server.serve, 0)
        server.port = listeners[0].socket.getsockname()[1]
        yield server
        nursery.cancel_scope.cancel()


async def _read(stream: trio.SocketStream) -> tuple[str, str, dict[bytes, bytes], Any]:
    connection = h11.Connection(h11.SERVER)
    request, body = None, b""
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            connection.receive_data(await stream.receive_some(65536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
    assert request is not None
    return request.method.decode(), request.target.decode(), dict(request.headers), json.loads(body or b"null")


async def _reply(stream: trio.SocketStream, status: int, body: Any) -> None:
    raw = b"" if status == 204 else json.dumps(body).encode()
    length = b"" if status == 204 else b"Content-Length: %d\r\n" % len(raw)
    await stream.send_all(b"HTTP/1.1 %d x\r\n%s\r\n%s" % (status, length, raw))
