"""Anthropic's messages: claude."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.e2e.agents.shape import Asked, Call, Piece, Tool, Turn, event, fresh, parts, split


class Messages:
    """``/v1/messages``."""

    def read(self, body: dict[str, Any], path: str) -> Asked:
        turn = Turn([])
        for message in body.get("messages", []):
            if message.get("role") != "user":
                continue
            for part in parts(message.get("content")):
                if part.get("type") == "tool_result":
                    turn.used("".join(inner.get("text", "") for inner in parts(part.get("content"))))
                else:
                    turn.said(part.get("text", ""))
        tools = tuple(Tool(tool["name"]) for tool in body.get("tools") or ())
        return Asked(body.get("model", ""), tuple(turn.texts), tools, turn.result, bool(body.get("stream")))

    def stream(self, pieces: Iterable[Piece], asked: Asked) -> Iterator[bytes]:
        yield _event("message_start", message=_message(asked, [], None))
        yield _event("ping")
        reason, index, texting = "end_turn", 0, False
        for piece in pieces:
            if isinstance(piece, str):
                if not texting:
                    yield _event("content_block_start", index=index, content_block={"type": "text", "text": ""})
                texting = True
                yield _event("content_block_delta", index=index, delta={"type": "text_delta", "text": piece})
                continue
            if texting:
                yield _event("content_block_stop", index=index)
                index, texting = index + 1, False
            reason = "tool_use"
            yield from _use(piece, index)
            index += 1
        if texting:
            yield _event("content_block_stop", index=index)
        usage = {"output_tokens": 5}
        yield _event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=usage)
        yield _event("message_stop")

    def whole(self, pieces: Iterable[Piece], asked: Asked) -> dict[str, Any]:
        text, calls = split(pieces)
        content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
        content += [{**_tool_use(call), "input": call.arguments} for call in calls]
        return _message(asked, content, "tool_use" if calls else "end_turn")

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = "rate_limit_error" if status == 429 else "api_error"
        return {"type": "error", "error": {"type": kind, "message": message}}


def _event(kind: str, **fields: Any) -> bytes:
    return event({"type": kind, **fields}, kind)


def _message(asked: Asked, content: list[dict[str, Any]], stop_reason: str | None) -> dict[str, Any]:
    return {
        "id": fresh("msg"),
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 1},
    }


def _tool_use(call: Call) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.tool.name, "input": {}}


def _use(call: Call, index: int) -> Iterator[bytes]:
    yield _event("content_block_start", index=index, content_block=_tool_use(call))
    delta = {"type": "input_json_delta", "partial_json": json.dumps(call.arguments)}
    yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)
