"""What the scripted model answers: keywords in the last thing that the user said, else an echo of it.

| keyword | answer |
| --- | --- |
| ``SLOW n`` | words, for n seconds |
| ``THINK n`` | nothing for n seconds, then an echo |
| ``TOOL command`` | a call of the agent's shell tool, and `done: ` with the result once that is back |
| ``MCP name {json}`` | a call of the MCP tool of that name with these arguments |
| ``ASK`` | a question |
| ``FAIL429 n``, ``FAIL500 n`` | that status, n times (without n: always), then an echo |
| ``HANG`` | none, until the server closes |
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.e2e.agents.shape import Asked, Call, Piece, Tool

HANG = 0
"""The status of an answer that never comes."""

WORD_S = 0.2
WORDS_PER_LINE = 10

KEYWORD = re.compile(
    r"\b(?:(?P<slow>SLOW) (?P<slow_s>[\d.]+)"
    r"|(?P<think>THINK) (?P<think_s>[\d.]+)"
    r"|(?P<tool>TOOL) (?P<command>[^\n<]+)"
    r"|(?P<mcp>MCP) (?P<name>[\w.-]+)(?: (?P<arguments>\{.*\}))?"
    r"|(?P<fail>FAIL)(?P<status>429|500)\b(?: (?P<times>\d+)\b)?"
    r"|(?P<hang>HANG)\b"
    r"|(?P<ask>ASK)\b)",
    re.DOTALL,
)

ESCALATED = {"sandbox_permissions": "require_escalated", "justification": "Do you want to run this command?"}
"""Without it codex runs a command in its sandbox and asks nobody."""

SANDBOXED = ("exec_command", "shell_command")

SHELLS: dict[str, Callable[[str], dict[str, Any]]] = {
    "exec_command": lambda command: {"cmd": command},  # codex
    "shell_command": lambda command: {"command": command},  # codex, other models
    "Bash": lambda command: {"command": command, "description": "Run a command"},  # claude
    "bash": lambda command: {"command": command, "description": "Run a command"},  # opencode
    "run_shell_command": lambda command: {  # gemini, qwen
        "command": command,
        "description": "Run a command",
        "is_background": False,
    },
}
"""The arguments of each agent's shell tool."""

Wait = Callable[[float], bool]
"""Waits so many seconds; true if the server closes meanwhile."""


@dataclass(frozen=True)
class Answer:
    """A status and, if that is 200, the pieces; each is there when it is due."""

    status: int
    pieces: Iterator[Piece]


def echo(text: str) -> str:
    """The answer to what is no keyword: proof of what arrived, byte for byte."""
    return f"echo sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]} len:{len(text)}"


def answer(asked: Asked, failed: int, wait: Wait) -> Answer:
    """The scripted answer; `failed` counts how often this very text was refused before."""
    if asked.result is not None:
        return Answer(200, iter([f"done: {asked.result[:200]}"]))
    found = KEYWORD.search(asked.text)
    if found is None:
        return Answer(200, iter([echo(asked.text)]))
    if found["hang"]:
        return Answer(HANG, iter(()))
    if found["fail"] and (found["times"] is None or failed < int(found["times"])):
        return Answer(int(found["status"]), iter(()))
    return Answer(200, _pieces(asked, found, wait))


def _pieces(asked: Asked, found: re.Match[str], wait: Wait) -> Iterator[Piece]:
    if found["slow"]:
        yield from _slowly(float(found["slow_s"]), wait)
    elif found["tool"]:
        yield _shell_call(asked, found["command"].strip())
    elif found["mcp"]:
        yield _mcp_call(asked.tools, found["name"], found["arguments"] or "{}")
    elif found["ask"]:
        yield "Which of the two do you want: the red one or the blue one?"
    elif not (found["think"] and wait(float(found["think_s"]))):
        yield echo(asked.text)


def _slowly(seconds: float, wait: Wait) -> Iterator[str]:
    count = max(1, round(seconds / WORD_S))
    for number in range(1, count + 1):
        if wait(WORD_S):
            return
        yield f"word{number}" + ("\n" if number % WORDS_PER_LINE == 0 else " ")
    yield "finished."


def _shell_call(asked: Asked, command: str) -> Piece:
    for tool in asked.tools:
        if tool.name in SHELLS:
            more = ESCALATED if tool.name in SANDBOXED and asked.escalates else {}
            return Call(tool, SHELLS[tool.name](command) | more)
    return f"Run this:\n\n```bash\n{command}\n```\n"  # aider has no tools: it offers to run what such a block holds


def _mcp_call(tools: tuple[Tool, ...], name: str, arguments: str) -> Piece:
    """The tool whose published name is `name`, or ends with it after the name of its server."""
    for tool in tools:
        if tool.name == name or tool.name.endswith(f"_{name}"):
            return Call(tool, json.loads(arguments))
    return f"no tool {name} among " + ", ".join(tool.name for tool in tools)
