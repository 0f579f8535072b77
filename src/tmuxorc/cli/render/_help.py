"""Configuration, health, the command tree and the demo for people."""

import os

from tmuxorc.cli._tree import ROOT, Entry, Noun
from tmuxorc.cli.completion import Script
from tmuxorc.cli.config import ConfigCheck, ConfigPath, ConfigView, Setting
from tmuxorc.cli.demo import DemoReport
from tmuxorc.cli.doctor import Check, Health
from tmuxorc.cli.reflect import CommandInfo, CommandTree, markdown
from tmuxorc.cli.render._text import Cell, fields, many, paint, table

MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "bad": ("BAD", "red")}


def config_view(result: ConfigView) -> str:
    """One line a key; what the file changes stands out."""
    head = f"{result.path}{'' if result.exists else ' (not there: all defaults)'}"
    rows = map(_setting, result.settings)
    return f"{head}\n\n{table(('KEY', 'VALUE', 'DEFAULT', 'TYPE'), rows, flexible=('TYPE', 'VALUE', 'DEFAULT'))}"


def _setting(setting: Setting) -> tuple[Cell | str, ...]:
    changed = "bold" if setting.changed else None
    return Cell(setting.key, changed), Cell(setting.value, changed), str(setting.default), setting.type


def path(result: ConfigPath) -> str:
    """The path alone, for use in a command substitution."""
    return result.path


def config_check(result: ConfigCheck) -> str:
    """A line that says it is fine."""
    if not result.exists:
        return f"{result.path}: not there, so everything is as by default"
    return f"{result.path}: good, sets {many(len(result.changed), 'key')}: {', '.join(result.changed) or 'none'}"


def health(result: Health) -> str:
    """One block a check; what is wrong comes with how to mend it."""
    last = "everything is in order" if result.healthy else "something is wrong; do what stands behind the arrows"
    return "\n".join([*map(_check, result.checks), last])


def _check(check: Check) -> str:
    word, colour = MARKS[check.status]
    line = f"{paint(f'{word:<4}', colour)}  {check.name}: {_short(check.detail)}"
    return f"{line}\n      -> {check.remedy}" if check.remedy else line


def _short(text: str) -> str:
    """With ``~`` for the home directory, so that most lines fit; remedies are to be pasted and keep it."""
    home = os.path.expanduser("~")
    return text.replace(f"{home}/", "~/") if len(home) > 1 else text


def script(result: Script) -> str:
    """The script itself."""
    return result.script.rstrip("\n")


def command_tree(result: CommandTree) -> str:
    """The commands as a tree, or in the format asked for."""
    if result.format == "markdown":
        return markdown(result).rstrip("\n")
    if result.format == "json":
        import msgspec

        return msgspec.json.encode(result).decode()
    return "\n".join(line for info in result.commands for line in _branch(info))


def _branch(info: CommandInfo) -> list[str]:
    noun, _, verb = info.command.partition(" ")
    flags = " ".join(p.flags[0] if p.flags else p.metavar for p in info.parameters)
    inset = "  " if verb else ""
    head = [paint(noun, "bold")] if verb and verb == next(iter(_verbs(noun))) else []
    line = f"{inset}{paint(verb or noun, 'bold')} {paint(flags, 'dim')}".rstrip()
    return [*head, line, f"{inset}    {info.summary}"]


def _verbs(noun: str) -> dict[str, Entry]:
    node = ROOT[noun]
    return node.commands if isinstance(node, Noun) else {}


def demo_report(result: DemoReport) -> str:
    """What was shown, and that nothing is left of it."""
    return fields((("shown", "\n".join(result.shown)), ("took", f"{result.took_s:.1f} s"), ("left", "nothing")))
