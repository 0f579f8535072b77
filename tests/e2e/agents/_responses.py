"""OpenAI's responses: codex."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.e2e.agents.shape import Asked, Call, Piece, Tool, Turn, event, fresh, parts, split

RESULTS = ("function_call_output", "custom_tool_call_output")
NEVER = "Approval policy is currently never"
"""Codex tells its model so; a command that asks to leave the sandbox is then refused unasked."""

USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 15,
}


class Responses:
    """``/v1/responses``."""

    def read(self, body: dict[str, Any], path: str) -> Asked:
        turn = Turn([])
        given = body.get("input", [])
        for item in given if isinstance(given, list) else [{"role": "user", "content": given}]:
            if item.get("type") in RESULTS:
                turn.used(item.get("output"))
            elif item.get("role") == "user":
                for part in parts(item.get("content")):
                    turn.said(part.get("text", ""))
        tools = tuple(_tools(body.get("tools") or ()))
        stream, escalates = bool(body.get("stream")), NEVER not in json.dumps(body)
        return Asked(body.get("model", ""), tuple(turn.texts), tools, turn.result, stream, escalates)

    def stream(self, pieces: Iterable[Piece], asked: Asked) -> Iterator[bytes]:
        response, message = fresh("resp"), fresh("msg")
        yield _event("response.created", response={"id": response})
        texts: list[str] = []
        for index, piece in enumerate(pieces):
            if isinstance(piece, Call):
                yield _event("response.output_item.done", output_index=index, item=_call(piece))
                continue
            if not texts:
                yield _event("response.output_item.added", output_index=0, item=_message(message, [], "in_progress"))
            texts.append(piece)
            yield _event("response.output_text.delta", item_id=message, output_index=0, content_index=0, delta=piece)
        if texts:
            yield _event("response.output_item.done", output_index=0, item=_message(message, texts))
        yield _event("response.completed", response=_response(response, asked, []))

    def whole(self, pieces: Iterable[Piece], asked: Asked) -> dict[str, Any]:
        text, calls = split(pieces)
        output = [_message(fresh("msg"), [text])] if text else []
        return _response(fresh("resp"), asked, output + [_call(call) for call in calls])

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = "rate_limit_error" if status == 429 else "server_error"
        return {"error": {"message": message, "type": kind, "code": None, "param": None}}


def _tools(given: Iterable[dict[str, Any]], namespace: str = "") -> Iterator[Tool]:
    for tool in given:
        if tool.get("type") == "namespace":
            yield from _tools(tool.get("tools") or (), tool.get("name", ""))
        else:
            yield Tool(tool.get("name") or tool.get("type", ""), namespace)


def _event(kind: str, **fields: Any) -> bytes:
    return event({"type": kind, **fields}, kind)


def _response(identity: str, asked: Asked, output: list[dict[str, Any]]) -> dict[str, Any]:
    head = {"id": identity, "object": "response", "created_at": 1, "status": "completed", "model": asked.model}
    return {**head, "output": output, "usage": USAGE}


def _message(identity: str, texts: list[str], status: str = "completed") -> dict[str, Any]:
    content = [{"type": "output_text", "text": "".join(texts), "annotations": []}] if texts else []
    return {"type": "message", "id": identity, "role": "assistant", "status": status, "content": content}


def _call(call: Call) -> dict[str, Any]:
    item = {"type": "function_call", "id": f"fc_{call.id}", "call_id": call.id}
    named = {"namespace": call.tool.namespace} if call.tool.namespace else {}
    return {**item, **named, "name": call.tool.name, "arguments": json.dumps(call.arguments), "status": "completed"}
