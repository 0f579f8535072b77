"""What the four model APIs have in common: what was asked, and the pieces of an answer."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

HARNESS = (
    "<system-reminder>",
    "<environment_context>",
    "<user_instructions>",
    "<recommended_plugins>",
    "<session_context>",
    "# AGENTS.md instructions",
)
"""Beginnings of what agents put into user messages by themselves: nobody said it."""


@dataclass(frozen=True)
class Tool:
    """A tool that the agent offers; codex groups those of MCP servers in a `namespace`."""

    name: str
    namespace: str = ""

    @property
    def published(self) -> str:
        """One name for it."""
        return f"{self.namespace}__{self.name}" if self.namespace else self.name


def fresh(kind: str) -> str:
    """A new id of this kind; claude takes two answers of one id for parts of one, and asks again and again."""
    return f"{kind}_{uuid4().hex}"


@dataclass(frozen=True)
class Call:
    """The model's wish to use a tool."""

    tool: Tool
    arguments: dict[str, Any]
    id: str = field(default_factory=lambda: fresh("call"))


Piece = str | Call
"""Some text of an answer, or its last part, a call."""


@dataclass(frozen=True)
class Asked:
    """One request in the terms of none of the APIs; `result` is a tool's, if that is what came last."""

    model: str
    texts: tuple[str, ...]
    tools: tuple[Tool, ...]
    result: str | None
    stream: bool
    escalates: bool = True
    """Whether a command may ask to run outside codex's sandbox, which is what makes a prompt."""

    @property
    def text(self) -> str:
        """The last thing that the user said."""
        return self.texts[-1] if self.texts else ""


class Shape(Protocol):
    """One API: how to read a request, and how to write an answer whole or in pieces."""

    def read(self, body: dict[str, Any], path: str) -> Asked:
        """What is asked."""
        ...

    def stream(self, pieces: Iterable[Piece], asked: Asked) -> Iterator[bytes]:
        """Server-sent events; each piece is taken when it is due."""
        ...

    def whole(self, pieces: Iterable[Piece], asked: Asked) -> dict[str, Any]:
        """The same as one object."""
        ...

    def error(self, status: int, message: str) -> dict[str, Any]:
        """The body of a refusal."""
        ...


@dataclass
class Turn:
    """What a conversation adds up to while it is read from its beginning: texts, and a result if that came last."""

    texts: list[str]
    result: str | None = None

    def said(self, text: str) -> None:
        """The user said something, or the agent said it in the user's name."""
        if text and not text.lstrip().startswith(HARNESS):
            self.texts.append(text)
            self.result = None

    def used(self, result: object) -> None:
        """A tool gave its result, whatever its form."""
        self.result = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)


def event(data: dict[str, Any], name: str = "") -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def split(pieces: Iterable[Piece]) -> tuple[str, list[Call]]:
    """All text as one, and the calls."""
    taken = list(pieces)
    text = "".join(piece for piece in taken if isinstance(piece, str))
    return text, [piece for piece in taken if isinstance(piece, Call)]


def parts(content: object) -> list[dict[str, Any]]:
    """The content of a message, which may be a bare string, as a list of typed parts."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
