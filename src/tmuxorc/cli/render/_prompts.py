"""Prompts and evidence for people."""

from tmuxorc.cli.render._text import STATE_COLOURS, Cell, ago, clean, paint, state, table
from tmuxorc.model import Clue, Prompt, Why
from tmuxorc.wire.methods import Answered


def answered(result: Answered) -> str:
    """One line: what was answered."""
    return f"{paint(result.address, 'bold')} was answered: {clean(asked(result.prompt))}"


def asked(prompt: Prompt) -> str:
    """What a prompt asks, in one line: the command if there is one."""
    return prompt.command or prompt.question


def options(prompt: Prompt) -> str:
    """What a prompt offers, a line each."""
    return "\n".join(f"{option.key}  {option.label}" for option in prompt.options)


def why(result: Why) -> str:
    """The state, and a line for each clue."""
    now = result.state.value
    head = f"{paint(result.address, 'bold')} is {paint(now, STATE_COLOURS.get(now))} for {ago(result.since)}"
    head = f"{head}: {clean(result.detail)}" if result.detail else head
    lines = [head, f"channel {clean(result.channel)}"] if result.channel else [head]
    clues = table(("", "SAYS", "AGE", "FROM", "RULE", "SEEN"), map(_row, result.clues), flexible=("SEEN",))
    return "\n".join([*lines, clues])


def _row(clue: Clue) -> tuple[Cell | str, ...]:
    says = state(clue.state.value) if clue.state is not None else ""
    return ("→" if clue.decides else "", says, f"{clue.age_s:.1f}s", clue.source, clue.rule, clean(clue.seen))
