"""Google's generateContent: gemini."""

from collections.abc import Iterable, Iterator
from typing import Any

from tests.e2e.agents.shape import Asked, Piece, Tool, Turn, event, fresh, split

USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}


class Gemini:
    """``/v1beta/models/MODEL:streamGenerateContent`` and ``:generateContent``."""

    def read(self, body: dict[str, Any], path: str) -> Asked:
        turn = Turn([])
        for content in body.get("contents", []):
            for part in content.get("parts", []) if content.get("role", "user") == "user" else ():
                if "functionResponse" in part:
                    response = part["functionResponse"].get("response") or {}
                    turn.used(response.get("output", response))
                else:
                    turn.said(part.get("text", ""))
        groups = (group.get("functionDeclarations") or () for group in body.get("tools") or ())
        tools = tuple(Tool(tool["name"]) for group in groups for tool in group)
        model, _, method = path.rpartition("/")[2].partition(":")
        return Asked(model, tuple(turn.texts), tools, turn.result, method.startswith("stream"))

    def stream(self, pieces: Iterable[Piece], asked: Asked) -> Iterator[bytes]:
        for piece in pieces:
            yield event(_answer(asked, [_part(piece)]))
        yield event(_answer(asked, [{"text": ""}], "STOP"))

    def whole(self, pieces: Iterable[Piece], asked: Asked) -> dict[str, Any]:
        text, calls = split(pieces)
        return _answer(asked, [_part(piece) for piece in ([text] if text else []) + calls], "STOP")

    def error(self, status: int, message: str) -> dict[str, Any]:
        name = "RESOURCE_EXHAUSTED" if status == 429 else "INTERNAL"
        return {"error": {"code": status, "message": message, "status": name}}


def _answer(asked: Asked, parts: list[dict[str, Any]], finish: str = "") -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": asked.model, "responseId": fresh("r")}


def _part(piece: Piece) -> dict[str, Any]:
    if isinstance(piece, str):
        return {"text": piece}
    return {"functionCall": {"id": piece.id, "name": piece.tool.name, "args": piece.arguments}}
