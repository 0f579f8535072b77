"""Agents for people."""

import shlex

from tmuxorc.cli._output import terminal_width as width
from tmuxorc.cli.render._prompts import options
from tmuxorc.cli.render._text import (
    STATE_COLOURS,
    Cell,
    ago,
    clean,
    clock,
    cut,
    fields,
    many,
    on_terminal,
    paint,
    state,
    table,
    until,
)
from tmuxorc.model import AgentView, Desired, LastExit, Prompt
from tmuxorc.wire.methods import AgentList, Screen

RULES = frozenset("─━═-_=")
"""What a line is drawn with that only parts one thing from another."""


def agent_list(result: AgentList) -> str:
    """One line an agent."""
    if not result.agents:
        return "no agents; start one with: tmux-orc spawn NAME --kind demo"
    return agents_table(result.agents)


def agents_table(agents: tuple[AgentView, ...]) -> str:
    """The table of `list`, also used below a team."""
    head = ("AGENT", "KIND", "STATE", "FOR", "RESTARTS", "MSGS", "PANE", "DETAIL")
    return table(head, map(_row, agents), flexible=("DETAIL",))


def _row(agent: AgentView) -> tuple[Cell | str, ...]:
    return (
        Cell(agent.address, "bold"),
        agent.kind,
        state(agent.state.value),
        ago(agent.state_since),
        str(agent.restarts or ""),
        str(agent.messages_waiting or ""),
        agent.pane or "",
        _detail(agent),
    )


def _detail(agent: AgentView) -> str:
    if agent.desired is Desired.STOPPED and not agent.state.alive:
        return "stopped"
    short = agent.detail.removeprefix("exited with ")
    if agent.restart_at:
        return f"back in {until(agent.restart_at)}; {short}"
    return short or agent.role


def agent(result: AgentView) -> str:
    """Everything about one agent."""
    return fields(
        (
            ("agent", result.address),
            ("state", f"{result.state.value} for {ago(result.state_since)}"),
            ("detail", result.detail),
            ("asks", _prompt(result.prompt)),
            ("role", result.role),
            ("kind", result.kind),
            ("desired", result.desired.value),
            ("command", shlex.join(result.command)),
            ("cwd", result.cwd),
            ("pid", result.pid),
            ("pane", result.pane),
            ("channel", result.channel),
            ("session", result.session),
            ("restart", result.restart.value),
            ("generation", f"{result.generation}, {many(result.restarts, 'restart')}"),
            ("back in", until(result.restart_at) if result.restart_at else ""),
            ("last exit", _last_exit(result.last_exit)),
            ("brief", result.brief),
            ("adopted", "yes" if result.adopted else ""),
            ("waiting", many(result.messages_waiting, "message") if result.messages_waiting else ""),
            ("created", clock(result.created_at)),
        )
    )


def _prompt(prompt: Prompt | None) -> str:
    return (
        "" if prompt is None else "\n".join(part for part in (prompt.question, prompt.command, options(prompt)) if part)
    )


def _last_exit(last: LastExit | None) -> str:
    if last is None:
        return ""
    how = f"signal {last.signal}" if last.signal else f"status {last.status}" if last.status is not None else ""
    message = "" if last.message == last.reason or (how and how in last.message) else last.message
    said = ", ".join(part for part in (last.reason, how, message) if part)
    seen = (line for line in last.last_lines if line.strip() and not _is_rule(line))
    return "\n".join([f"{said}, {ago(last.at)} ago", *(cut(f"| {line}", width() - 13) for line in seen)])


def _is_rule(line: str) -> bool:
    return len(line.strip()) > 1 and RULES.issuperset(line.strip())


def acted(result: AgentView) -> str:
    """One line: where the agent stands after what was done to it."""
    now = result.state.value
    line = f"{paint(result.address, 'bold')} is {paint(now, STATE_COLOURS.get(now))}"
    if result.pid is not None:
        line += f", pid {result.pid} in pane {result.pane}"
    return f"{line}: {clean(result.detail)}" if result.detail else line


def screen(result: Screen) -> str:
    """The pane's lines; colours that were asked for are let through, every other control character is shown.

    A terminal that is narrower than the pane would break its rules in two, and a screen that is mostly empty would push
    what a person wants to see out of sight: there a rule is as wide as the terminal, and blank lines in a row are one.
    """
    lines = [_line(line) for line in result.lines]
    return "\n".join(_fitted(lines) if on_terminal() else lines)


def _fitted(lines: list[str]) -> list[str]:
    blank_before = [False, *(not line.strip() for line in lines)]
    kept = [line for line, before in zip(lines, blank_before, strict=False) if line.strip() or not before]
    return [line[: width()] if _is_rule(line) else line for line in kept]


def _line(line: str) -> str:
    """Colour sequences (``ESC [ … m``) pass; tmux writes no others, and nothing else may reach the terminal."""
    if "\x1b" not in line:
        return clean(line)
    first, *rest = line.split("\x1b[")
    return clean(first) + "".join(_after_escape(part) for part in rest) + ("\x1b[0m" if rest else "")


def _after_escape(part: str) -> str:
    codes, ends, text = part.partition("m")
    if ends and all(c in "0123456789;:" for c in codes):
        return f"\x1b[{codes}m{clean(text)}"
    return clean(f"\x1b[{part}")
