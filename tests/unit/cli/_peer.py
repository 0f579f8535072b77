"""A peer that speaks the socket protocol from a script, so that a command can be tested as the client it is."""

import socket
import threading
from collections.abc import Callable
from typing import Any, Self

import msgspec

from tmuxorc.errors import TmuxOrcError
from tmuxorc.paths import find_paths
from tmuxorc.wire import codec
from tmuxorc.wire.methods import METHODS, PROTOCOL, AnyMethod, HelloReply

Script = Callable[[Any], Any]
"""Takes the typed parameters of a request; returns the result, or raises the error to answer with."""


class Streamed:
    """A result that comes after items."""

    def __init__(self, *items: object, result: object) -> None:
        self.items = items
        self.result = result


class Peer:
    """Listens where the instance's supervisor would; `asked` records method and parameters of every request."""

    def __init__(self, instance: str = "default", *, protocol: int = PROTOCOL) -> None:
        paths = find_paths(instance)
        paths.make_runtime_dir()
        self.hello = HelloReply(protocol=protocol, version="0", instance=instance, pid=1)
        self.scripts: dict[str, Script] = {}
        self.asked: list[tuple[str, Any]] = []
        self._path = paths.socket
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self._path)
        self._listener.listen(16)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def answers(self, method: AnyMethod, result: object) -> Self:
        """Answer every such request with `result`, or raise it if it is an error."""

        def script(_: Any) -> Any:
            if isinstance(result, TmuxOrcError):
                raise result
            return result

        self.scripts[method.name] = script
        return self

    @property
    def last(self) -> Any:
        """The parameters of the newest request."""
        return self.asked[-1][1]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                try:
                    connection.sendall(self._answer(line))
                except BrokenPipeError:
                    return

    def _answer(self, line: bytes) -> bytes:
        request = codec.decode_request(line)
        if request.method == "hello":
            return codec.encode_result(request.id, self.hello)
        params = msgspec.json.decode(request.params, type=METHODS[request.method].params)
        self.asked.append((request.method, params))
        try:
            result = self.scripts[request.method](params)
        except TmuxOrcError as error:
            return codec.encode_error(request.id, error)
        if isinstance(result, Streamed):
            items = b"".join(codec.encode_progress(request, item) for item in result.items)
            return items + codec.encode_result(request.id, result.result)
        return codec.encode_result(request.id, result)
