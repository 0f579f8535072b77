"""Chat completions, as OpenAI and all who imitate it speak it: opencode, qwen, aider."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.e2e.agents.shape import Asked, Call, Piece, Tool, Turn, event, fresh, parts, split

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


class Chat:
    """``/v1/chat/completions``."""

    def read(self, body: dict[str, Any], path: str) -> Asked:
        turn = Turn([])
        for message in body.get("messages", []):
            if message.get("role") == "tool":
                turn.used("".join(part.get("text", "") for part in parts(message.get("content"))))
            elif message.get("role") == "user":
                for part in parts(message.get("content")):
                    turn.said(part.get("text", ""))
        tools = tuple(Tool(tool["function"]["name"]) for tool in body.get("tools") or ())
        return Asked(body.get("model", ""), tuple(turn.texts), tools, turn.result, bool(body.get("stream")))

    def stream(self, pieces: Iterable[Piece], asked: Asked) -> Iterator[bytes]:
        head = _head(asked, "chat.completion.chunk")
        yield _chunk(head, {"role": "assistant", "content": ""})
        finish = "stop"
        for piece in pieces:
            if isinstance(piece, str):
                yield _chunk(head, {"content": piece})
            else:
                finish = "tool_calls"
                yield _chunk(head, {"tool_calls": [{"index": 0, **_call(piece)}]})
        yield _chunk(head, {}, finish)
        yield event({**head, "choices": [], "usage": USAGE})
        yield b"data: [DONE]\n\n"

    def whole(self, pieces: Iterable[Piece], asked: Asked) -> dict[str, Any]:
        text, calls = split(pieces)
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if calls:
            message["tool_calls"] = [_call(call) for call in calls]
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
        return {**_head(asked, "chat.completion"), "choices": [choice], "usage": USAGE}

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = "rate_limit_error" if status == 429 else "server_error"
        return {"error": {"message": message, "type": kind, "code": str(status)}}


def _head(asked: Asked, kind: str) -> dict[str, Any]:
    return {"id": fresh("chatcmpl"), "object": kind, "created": 1, "model": asked.model}


def _chunk(head: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> bytes:
    return event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _call(call: Call) -> dict[str, Any]:
    function = {"name": call.tool.name, "arguments": json.dumps(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}
