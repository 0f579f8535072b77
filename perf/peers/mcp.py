"""The least of an MCP client: a server over its standard streams, a line for each message."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self


class McpServer:
    """A server process, from its start on; `call` is a request with its answer."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        self._last = 0

    def __enter__(self) -> Self:
        self.call(
            "initialize",
            {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "perf", "version": "1"}},
        )
        self._send({"method": "notifications/initialized"})
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """The result of a request; raises RuntimeError with the server's error."""
        self._last += 1
        self._send({"id": self._last, "method": method, "params": params or {}})
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
        raise RuntimeError(f"{method}: the server ended")

    def tool(self, name: str, **arguments: Any) -> Any:
        """The result of a tool; raises RuntimeError if the tool says that it failed."""
        result = self.call("tools/call", {"name": name, "arguments": arguments})
        if result.get("isError"):
            raise RuntimeError(f"{name}: {result['content']}")
        return result

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0"} | message).encode() + b"\n")
        self._process.stdin.flush()
