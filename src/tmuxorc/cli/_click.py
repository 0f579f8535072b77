"""From a declaration to an asyncclick command: the words typed become a `Job`, which is not run here.

Parsing and acting are apart so that a job that streams can be run under an event loop and all others without one.
"""

import enum
from collections.abc import Callable
from typing import Any, Literal, TypeVar, get_args, get_origin

import asyncclick as click

from tmuxorc.cli._app import App
from tmuxorc.cli._declare import Completer, Declared, Parameter

AnyDeclared = Declared[..., Any]
T = TypeVar("T")


class Job:
    """One command with the values of its parameters, ready to run."""

    __slots__ = ("as_json", "declared", "instance", "values")

    def __init__(self, declared: AnyDeclared, values: dict[str, Any], instance: str | None, as_json: bool) -> None:
        self.declared = declared
        self.values = values
        self.instance = instance
        self.as_json = as_json


class Values(click.Choice[Any]):
    """The members of an enumeration by their values; a dash serves for an underscore."""

    def normalize_choice(self, choice: object, ctx: click.Context | None) -> str:
        text = choice.value if isinstance(choice, enum.Enum) else choice
        return str(text).lower().replace("-", "_")


class Words(click.ParamType[Any]):
    """Text that the declaration reads by itself, with live names to complete."""

    name = "text"

    def __init__(self, read: Callable[[str], Any] | None, complete: Completer | None) -> None:
        self.read = read
        self.complete = complete

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if self.read is None or (ctx is not None and ctx.resilient_parsing):
            return value
        try:
            return self.read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from asyncclick.shell_completion import CompletionItem

        if self.complete is None:
            return []
        if isinstance(self.complete, str):
            return [CompletionItem(incomplete, type=self.complete)]
        return [CompletionItem(word) for word in self.complete(App(instance_of(ctx)), incomplete)]


class Leaf(click.Command):
    """A command that can be run; its help ends with its examples."""

    def __init__(self, name: str, declared: AnyDeclared) -> None:
        super().__init__(
            name,
            params=[*(_parameter(p) for p in declared.parameters), *global_options()],
            help=declared.doc,
            short_help=declared.summary,
            callback=self._job,
        )
        self.declared = declared

    async def _job(self, **given: Any) -> Job:
        ctx = click.get_current_context()
        values = {p.name: _value(p, given[p.name]) for p in self.declared.parameters if given[p.name] not in (None, ())}
        return Job(self.declared, values, instance_of(ctx), json_of(ctx))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        said = [(p.marker.metavar or p.name.upper(), p.marker.help) for p in self.declared.parameters if p.positional]
        if said:
            with formatter.section("Arguments"):
                formatter.write_dl(said)
        super().format_options(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Examples"):
            for line in self.declared.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def global_options() -> list[click.Parameter]:
    """The options every command takes, wherever they stand."""
    return [
        click.Option(
            ["--instance", "-L"],
            metavar="NAME",
            help="Which instance to speak to, as with tmux -L; else $TMUX_ORC_INSTANCE, else 'default'.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Print the result as one JSON object."),
    ]


def instance_of(ctx: click.Context) -> str | None:
    """The instance named nearest to the command, or None."""
    found: str | None = _nearest(ctx, "instance")
    return found


def json_of(ctx: click.Context) -> bool:
    """Whether JSON was asked for anywhere in the command line."""
    return bool(_nearest(ctx, "as_json"))


def _nearest(ctx: click.Context | None, name: str) -> Any:
    while ctx is not None:
        if value := ctx.params.get(name):
            return value
        ctx = ctx.parent
    return None


def _value(parameter: Parameter, given: Any) -> Any:
    return dict(given) if parameter.type is dict else given


def _parameter(parameter: Parameter) -> click.Parameter:
    marker = parameter.marker
    if parameter.positional:
        return click.Argument(
            [parameter.name],
            required=parameter.required,
            nargs=-1 if parameter.repeated else 1,
            type=_type(parameter),
            metavar=marker.metavar,
        )
    flag = parameter.type is bool
    return click.Option(
        [parameter.name, *marker.flags],
        required=parameter.required,
        multiple=parameter.repeated,
        is_flag=flag or None,  # False would make the value of an option without a default optional
        type=None if flag else _type(parameter),
        metavar=marker.metavar,
        help=_help(parameter),
    )


def _help(parameter: Parameter) -> str:
    default = parameter.default
    if default is None or default is False or default in ((), {}, ""):
        return parameter.marker.help
    shown = " ".join(map(_shown, default if parameter.repeated else (default,)))
    return f"{parameter.marker.help}  [default: {shown}]"


def _shown(value: object) -> str:
    if isinstance(value, enum.Enum):
        return str(value.value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _type(parameter: Parameter) -> Any:
    kind, marker = parameter.type, parameter.marker
    if get_origin(kind) is Literal:
        return Values(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return Values(list(kind))
    if marker.read is not None or marker.complete is not None:
        return Words(marker.read, marker.complete)
    return kind if kind in (int, float) else click.STRING
