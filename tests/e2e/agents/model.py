"""A scripted model on loopback, for agents that believe it to be a real one; it keeps every request it got.

It speaks the four APIs that the agents use, streaming or not; what it answers is in `script`.
``python -m tests.e2e.agents.model --port N --log FILE`` runs it alone.
"""

import argparse
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.agents._chat import Chat
from tests.e2e.agents._gemini import Gemini
from tests.e2e.agents._messages import Messages
from tests.e2e.agents._responses import Responses
from tests.e2e.agents.script import HANG, Answer, answer
from tests.e2e.agents.shape import Asked, Shape

TOOLLESS = "toolless"
"""The model name of agents that never offer tools; with any other, a request without tools is side traffic."""

ASIDES = ("[SUGGESTION MODE", "Managed memory has TWO directories")
"""Beginnings of what qwen asks behind the person's back with tools: what they may type next, what to remember."""

SHAPES: dict[str, Shape] = {
    "/v1/responses": Responses(),
    "/v1/chat/completions": Chat(),
    "/v1/messages": Messages(),
}
GEMINI = Gemini()


@dataclass
class Request:
    """One request: `kind` is ``turn`` (what tests look at), ``side`` (titles and the like) or ``other``.

    `outcome` is ``open`` until the answer was sent: ``whole``, or ``cut`` when the agent hung up before its end.
    """

    at_s: float
    method: str
    path: str
    body: dict[str, Any]
    kind: str
    texts: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    result: str | None = None
    status: int = 0
    outcome: str = "open"

    @property
    def text(self) -> str:
        """The last thing that the user said, exactly."""
        return self.texts[-1] if self.texts else ""


Predicate = Callable[[Request], bool]


class ModelServer:
    """Serves from its making until `close`, in threads of its own; a context manager."""

    def __init__(self, port: int = 0, log: Path | None = None) -> None:
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._log = log
        self._changed = threading.Condition()
        self._failed: Counter[str] = Counter()
        self._server = _Server(port, self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="model server")
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return int(self._server.server_address[1])

    @property
    def turns(self) -> list[Request]:
        """The requests without side traffic."""
        with self._changed:
            return [request for request in self.requests if request.kind == "turn"]

    def wait_for(self, predicate: Predicate, timeout_s: float = 30.0) -> Request:
        """The first turn, past or to come, of which `predicate` is true, also after its outcome changed."""

        def found() -> Request | None:
            return next((request for request in self.requests if request.kind == "turn" and predicate(request)), None)

        with self._changed:
            request = self._changed.wait_for(found, timeout_s)
            if request is None:
                seen = [(request.kind, request.text[:60]) for request in self.requests]
                raise TimeoutError(f"no such request within {timeout_s} s among {seen}")
        return request

    def close(self) -> None:
        """Stop, and break off every answer that is still due."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ModelServer on port {self.port}, {len(self.requests)} requests>"

    def keep(self, request: Request) -> None:
        """Remember a request, and tell those who wait."""
        with self._changed:
            self.requests.append(request)
            if self._log:
                with self._log.open("a") as log:
                    log.write(json.dumps(asdict(request)) + "\n")
            self._changed.notify_all()

    def settle(self, request: Request, status: int, outcome: str) -> None:
        """Remember what became of a request."""
        with self._changed:
            request.status, request.outcome = status, outcome
            self._changed.notify_all()

    def answer(self, asked: Asked) -> Answer:
        """The scripted answer."""
        with self._changed:
            given = answer(asked, self._failed[asked.text], self.closing.wait)
            if given.status >= 400:
                self._failed[asked.text] += 1
        return given


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64

    def __init__(self, port: int, model: ModelServer) -> None:
        self.model = model
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End connections on which nothing was asked yet, so that no thread waits for that."""
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # closed meanwhile
                pass


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Lists of models, and what agents try their luck with."""
        request = self._keep({}, "other")
        path = self.path.partition("?")[0]
        if path.endswith("/models"):
            listed = [{"id": "scripted", "object": "model", "owned_by": "tests"}]
            self._send(request, 200, {"object": "list", "data": listed})
        else:
            self._send(request, 404, {"error": {"message": f"nothing at {path}"}})

    def do_POST(self) -> None:
        """Everything that is asked of a model."""
        body = self._body()
        path = self.path.partition("?")[0]
        if path.endswith(("/count_tokens", ":countTokens")):
            self._send(self._keep(body, "other"), 200, {"input_tokens": 10, "totalTokens": 10})
            return
        shape = GEMINI if path.endswith(("enerateContent",)) else SHAPES.get(path)
        if shape is None:
            self._send(self._keep(body, "other"), 404, {"error": {"message": f"nothing at {path}"}})
            return
        self._model(shape, body, path)

    def _model(self, shape: Shape, body: dict[str, Any], path: str) -> None:
        asked = shape.read(body, path)
        is_turn = (bool(asked.tools) or TOOLLESS in asked.model) and not asked.text.startswith(ASIDES)
        request = self._keep(body, "turn" if is_turn else "side", asked)
        given = self.server.model.answer(asked) if is_turn else Answer(200, iter(["ok"]))
        if given.status == HANG:
            self.server.model.closing.wait()
            self.close_connection = True
            self.server.model.settle(request, HANG, "cut")
        elif given.status != 200:
            self._send(request, given.status, shape.error(given.status, f"scripted failure {given.status}"))
        elif asked.stream:
            self._stream(request, shape, given, asked)
        else:
            self._send(request, 200, shape.whole(given.pieces, asked))

    def _body(self) -> dict[str, Any]:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            body = {"unreadable": raw.decode(errors="replace")}
        return body if isinstance(body, dict) else {"body": body}

    def _keep(self, body: dict[str, Any], kind: str, asked: Asked | None = None) -> Request:
        request = Request(time.time(), self.command, self.path, body, kind)
        if asked is not None:
            request.texts, request.result = asked.texts, asked.result
            request.tools = tuple(tool.published for tool in asked.tools)
        self.server.model.keep(request)
        return request

    def _send(self, request: Request, status: int, answer: dict[str, Any]) -> None:
        raw = json.dumps(answer).encode()
        self._head(status, "application/json", length=len(raw))
        outcome = self._write(raw)
        self.server.model.settle(request, status, outcome)

    def _stream(self, request: Request, shape: Shape, given: Answer, asked: Asked) -> None:
        self._head(200, "text/event-stream")
        outcome = "whole"
        for event in shape.stream(given.pieces, asked):
            outcome = self._write(event)
            if outcome == "cut":
                break
        self.server.model.settle(request, 200, outcome)

    def _head(self, status: int, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")  # the end of the connection is the end of a stream
        self.close_connection = True
        self._write_head()

    def _write_head(self) -> None:
        try:
            self.end_headers()
        except OSError:  # hung up before the answer; the next write says so
            pass

    def _write(self, data: bytes) -> str:
        try:
            self.wfile.write(data)
        except OSError:
            return "cut"
        return "whole"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: every request is kept."""


def main() -> None:
    """Run until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.agents.model", description="A scripted model.")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes any")
    parser.add_argument("--log", type=Path, help="file for one JSON line per request")
    options = parser.parse_args()
    with ModelServer(options.port, options.log) as server:
        print(server.port, flush=True)
        try:
            server.closing.wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
