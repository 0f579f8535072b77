"""Permission prompts read from the screen, and the keys that answer them; no I/O.

A prompt counts only where its program draws it: at the bottom of a screen without a composer.  What an agent prints
about another's prompt stands above its own composer.
"""

import hashlib
from collections.abc import Sequence

from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.agents.frame import exactly, find_box, pattern
from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.schema import Prompts
from tmuxorc.model import Frozen, Prompt, PromptOption

DECLINE = "decline"
"""The key of an answer that turns the prompt down where no option does."""

_HIGHEST = 30
"""Rows of a prompt at most: its command may stand that far above its question."""

_WRAPPED = 8
"""Rows that the label of an option may go on for."""

_KEY_NAMES = {"esc": "Escape", "enter": "Enter", "tab": "Tab"}


class Shown(Frozen):
    """A prompt as it stands on a screen: what it says, and its rows from `top` to below `bottom`."""

    prompt: Prompt
    top: int
    bottom: int


def read_prompt(kind: Kind, screen: ScreenSeen) -> Prompt | None:
    """What the program asks on this screen; None if it asks nothing that the kind's rules know."""
    shown = _find(kind, screen)
    return None if shown is None else shown.prompt


def prompt_gate(kind: Kind, screen: ScreenSeen, prompt: Prompt) -> tuple[str, ...]:
    """The patterns that lines must match for `prompt` to be what is open still, for tmux to check with the keys.

    Raises `ValueError` if the screen does not show it.
    """
    shown = _find(kind, screen)
    if shown is None or shown.prompt.id != prompt.id:
        raise ValueError("the screen shows another prompt, or none")
    rows = screen.lines[shown.top : shown.bottom]
    return tuple(dict.fromkeys(exactly(line) for line in rows if line.strip()))


def answer_keys(kind: Kind, prompt: Prompt, key: str) -> tuple[str, ...]:
    """The keys, by tmux's names, that give the answer `key`; raises `ValueError` if the prompt has none such."""
    prompts = kind.prompts
    if prompts is None or key not in {option.key for option in prompt.options}:
        raise ValueError(f"the prompt has no option {key!a}")
    if key == prompt.deny and prompts.decline:
        return prompts.decline
    return tuple(_KEY_NAMES.get(word, word) for word in (each.replace("{key}", key) for each in prompts.keys))


def _find(kind: Kind, screen: ScreenSeen) -> Shown | None:
    prompts, lines = kind.prompts, screen.lines
    if prompts is None or find_box(kind.composer, screen) is not None:
        return None
    bottom = _bottom(prompts, lines)
    question = _last(prompts.question, lines, bottom)
    if question is None or (prompts.cursor and not (screen.cursor_visible and screen.cursor[1] == bottom - 1)):
        return None
    options = _options(prompts.option, lines, question, bottom)
    if not options:
        return None
    rows = _command_rows(prompts.command, lines, question, bottom)
    command = "\n".join(_command(prompts.command, lines[row]) for row in rows)
    top = min(question, *rows) if rows else question
    return Shown(prompt=_prompt(prompts, _text(lines[question]), command, options), top=top, bottom=bottom)


def _bottom(prompts: Prompts, lines: Sequence[str]) -> int:
    """Below the last line that is neither blank nor the prompt's own end."""
    for row in range(len(lines) - 1, -1, -1):
        if lines[row].strip() and not (prompts.end and pattern(prompts.end).search(lines[row])):
            return row + 1
    return 0


def _last(regex: str, lines: Sequence[str], bottom: int) -> int | None:
    rows = range(bottom - 1, max(-1, bottom - 1 - _HIGHEST), -1)
    return next((row for row in rows if pattern(regex).search(lines[row])), None)


def _options(regex: str, lines: Sequence[str], question: int, bottom: int) -> tuple[PromptOption, ...]:
    """From the last one upwards, until a key comes again: what looks like options above is part of the command."""
    found: dict[str, PromptOption] = {}
    expected = bottom - 1
    for row in range(bottom - 1, question - 1, -1):
        if expected - row > _WRAPPED:
            break
        for match in reversed(list(pattern(regex).finditer(lines[row]))):
            if match["key"] in found:
                return tuple(reversed(found.values()))
            found[match["key"]] = PromptOption(key=match["key"], label=match["label"].strip())
            expected = row - 1
    return tuple(reversed(found.values()))


def _command_rows(regex: str, lines: Sequence[str], question: int, bottom: int) -> list[int]:
    """Those below the question, else those nearest above it; of either only lines in a row."""
    if not regex:
        return []
    below = next((row for row in range(question, bottom) if pattern(regex).search(lines[row])), None)
    if below is not None:
        return _run(regex, lines, below, 1)
    above = _last(regex, lines, question)
    return [] if above is None else _run(regex, lines, above, -1)[::-1]


def _run(regex: str, lines: Sequence[str], start: int, step: int) -> list[int]:
    rows: list[int] = []
    while 0 <= start < len(lines) and pattern(regex).search(lines[start]):
        rows.append(start)
        start += step
    return rows


def _command(regex: str, line: str) -> str:
    match = pattern(regex).search(line)
    return match["command"].rstrip() if match else ""


def _text(line: str) -> str:
    """A line without the box drawn around it."""
    return line.strip(" │┃|")


def _prompt(prompts: Prompts, question: str, command: str, options: tuple[PromptOption, ...]) -> Prompt:
    approve, deny = _key_of(prompts.approve, options), _key_of(prompts.deny, options)
    if not deny and prompts.decline:
        options, deny = (*options, PromptOption(key=DECLINE, label="No")), DECLINE
    said = "\0".join((question, command, *(f"{option.key} {option.label}" for option in options)))
    return Prompt(
        id=hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest(),
        source="screen",
        question=question,
        command=command,
        options=options,
        approve=approve,
        deny=deny,
    )


def _key_of(regex: str, options: tuple[PromptOption, ...]) -> str:
    if not regex:
        return ""
    return next((option.key for option in options if pattern(regex).search(option.label)), "")
