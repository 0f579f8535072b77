"""The commands described by themselves: for people, for programs, and for the reference in the documentation."""

import enum
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from tmuxorc.cli._app import App
from tmuxorc.cli._declare import Declared, Opt, Parameter, command
from tmuxorc.cli._group import load
from tmuxorc.cli._tree import SECTIONS, Entry, Noun, walk
from tmuxorc.model import Frozen

Format = Literal["tree", "json", "markdown"]


class ParameterInfo(Frozen):
    """One parameter: `flags` is empty for a positional one; `schema` is JSON Schema; `local` ones mean a terminal."""

    name: str
    flags: tuple[str, ...]
    metavar: str
    type: str
    required: bool
    repeated: bool
    default: Any
    local: bool
    help: str
    schema: dict[str, Any]


class CommandInfo(Frozen):
    """One command; `result` is the JSON Schema of what it answers with, and of what it streams in `stream`."""

    command: str
    summary: str
    description: str
    examples: tuple[str, ...]
    parameters: tuple[ParameterInfo, ...]
    result: dict[str, Any]
    stream: dict[str, Any] | None


class CommandTree(Frozen):
    """All commands; the schemas refer to each other below `schemas`."""

    commands: tuple[CommandInfo, ...]
    schemas: dict[str, Any]
    format: str = "tree"


@command("tmux-orc reflect", "tmux-orc reflect --json | jq -r '.commands[].command'")
async def reflect(
    _: App,
    *,
    format: Annotated[Format, Opt("--format", help="How to print it for people.", local=True)] = "tree",
) -> CommandTree:
    """Describe every command, its parameters and its result.

    --format json prints what --json prints.
    """
    return describe(format)


def describe(format: str = "tree") -> CommandTree:
    """The whole tree, from the declarations."""
    declared = {" ".join(words): load(entry) for words, entry in walk().items()}
    types = {d.result for d in declared.values()} | {d.stream for d in declared.values() if d.stream is not None}
    ordered = sorted(types, key=lambda t: t.__name__)
    schemas, parts = msgspec.json.schema_components(ordered, ref_template="#/schemas/{name}")
    by_type = dict(zip(ordered, schemas, strict=True))
    commands = tuple(_command(name, d, by_type) for name, d in declared.items())
    return CommandTree(commands=commands, schemas=parts, format=format)


def _command(name: str, declared: Declared[..., Any], schemas: dict[type, dict[str, Any]]) -> CommandInfo:
    return CommandInfo(
        command=name,
        summary=declared.summary,
        description=declared.doc.partition("\n")[2].strip(),
        examples=declared.examples,
        parameters=tuple(_parameter(p) for p in declared.parameters),
        result=schemas[declared.result],
        stream=None if declared.stream is None else schemas[declared.stream],
    )


def _parameter(parameter: Parameter) -> ParameterInfo:
    default = parameter.default
    return ParameterInfo(
        name=parameter.name,
        flags=parameter.marker.flags,
        metavar=parameter.marker.metavar or parameter.name.upper(),
        type=type_name(parameter),
        required=parameter.required,
        repeated=parameter.repeated,
        default=default.value if isinstance(default, enum.Enum) else msgspec.to_builtins(default),
        local=parameter.marker.local,
        help=parameter.marker.help,
        schema=msgspec.json.schema(parameter.annotation),
    )


def type_name(parameter: Parameter) -> str:
    """A parameter's type in a word, or the values it may have."""
    kind = parameter.type
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return "|".join(str(member.value) for member in kind)
    if get_origin(kind) is Literal:
        return "|".join(str(a) for a in get_args(kind))
    return {str: "text", int: "integer", float: "number", bool: "flag", dict: "key=value"}[kind]


_HEAD = """# Command reference

This page is generated from the commands themselves: `tmux-orc reflect --format markdown`.

Every command takes `-L NAME`, `--instance NAME` (which instance to speak to; else `$TMUX_ORC_INSTANCE`, else
`default`), `--json` (standard output is exactly one JSON object, the typed result; an error goes to standard error as
`{"error": {"code", "message", "hint", "details"}}`) and `--help`. They may stand before the command or after it.

## Exit status

| status | meaning |
| --- | --- |
| 0 | done |
| 1 | failed |
| 2 | usage: the request itself is wrong |
| 3 | not found |
| 4 | conflict with what is there |
| 5 | refused |
| 6 | timed out |
| 7 | no supervisor can be reached |
| 130 | interrupted |
"""


def markdown(tree: CommandTree) -> str:
    """The command tree as a page of documentation."""
    infos = {info.command: info for info in tree.commands}
    parts = [_HEAD]
    for title, table in SECTIONS.items():
        parts.append(f"## {title}\n")
        for name, node in table.items():
            parts.extend(_entry_pages(name, node, infos))
    return "\n".join(parts)


def _entry_pages(name: str, node: Entry | Noun, infos: dict[str, CommandInfo]) -> list[str]:
    if isinstance(node, Entry):
        return [_page(infos[name])]
    verbs = [f"{name} {verb}" for verb in node.commands]
    return [f"### `{name}`\n\n{node.summary}\n", *(_verb_page(infos[v], node.commands[v.split()[1]]) for v in verbs)]


def _verb_page(info: CommandInfo, entry: Entry) -> str:
    short = next((words[0] for words, other in walk().items() if other is entry and len(words) == 1), None)
    if short is None:
        return _page(info, level="####")
    return f"#### `{info.command}`\n\nThe same as [`{short}`](#{short}).\n"


def _page(info: CommandInfo, level: str = "###") -> str:
    usage = " ".join(["tmux-orc", info.command, *(_usage(p) for p in info.parameters)])
    lines = [f"{level} `{info.command}`", "", info.summary, "", f"```\n{usage}\n```", ""]
    if info.description:
        lines += [info.description, ""]
    if info.parameters:
        lines += ["| parameter | type | default | |", "| --- | --- | --- | --- |", *map(_row, info.parameters), ""]
    lines += [f"Answers with `{_title(info.result)}`{_streams(info)}.", ""]
    return "\n".join([*lines, "```console", *(f"$ {e}" for e in info.examples), "```", ""])


def _streams(info: CommandInfo) -> str:
    return f", after a stream of `{_title(info.stream)}`" if info.stream else ""


def _title(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _usage(parameter: ParameterInfo) -> str:
    word = parameter.metavar if not parameter.flags else f"{parameter.flags[0]} {parameter.metavar}"
    if parameter.type == "flag":
        word = parameter.flags[0]
    if parameter.required or word.startswith("["):
        return word
    return f"[{word}]…" if parameter.repeated else f"[{word}]"


def _row(parameter: ParameterInfo) -> str:
    name = ", ".join(f"`{flag}`" for flag in parameter.flags) or f"`{parameter.metavar}`"
    shown = parameter.default not in (None, False, "", (), [], {})
    default = f"`{msgspec.json.encode(parameter.default).decode()}`" if shown else ""
    return f"| {name} | {parameter.type.replace('|', ' ')} | {default} | {_escaped(parameter.help)} |"


def _escaped(text: str) -> str:
    return text.replace("*", "\\*").replace("|", "\\|")
