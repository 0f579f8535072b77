"""How a command is declared: one async function whose signature says everything about its parameters and its result.

The same declaration makes the command line (`tmuxorc.cli._click`), the reference (`tmuxorc.cli.reflect`) and, from
outside this package, tools for agents.  Nothing here knows asyncclick.
"""

import inspect
from collections.abc import Awaitable, Callable
from types import UnionType
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

from tmuxorc.cli._app import App

P = ParamSpec("P")
R = TypeVar("R")

Completer = Callable[[App, str], list[str]] | Literal["dir", "file"]
"""Takes the application and what was typed so far and returns the words that fit, or names what the shell completes."""


class Param:
    """What a signature cannot say of a parameter.

    `read` turns the word typed into the value (``-`` into standard input, say); it runs for people only.  `local`
    marks a parameter that makes sense at a terminal alone.
    """

    __slots__ = ("complete", "flags", "help", "local", "metavar", "read")

    def __init__(
        self,
        *flags: str,
        help: str = "",
        metavar: str | None = None,
        read: Callable[[str], Any] | None = None,
        complete: Completer | None = None,
        local: bool = False,
    ) -> None:
        self.flags = flags
        self.help = help
        self.metavar = metavar
        self.read = read
        self.complete: Completer | None = complete
        self.local = local


class Arg(Param):
    """A positional parameter."""

    __slots__ = ()


class Opt(Param):
    """An option, by its flags: ``Opt("--team", "-t", help=…)``."""

    __slots__ = ()


class Parameter:
    """One parameter as declared: `type` without ``None``, `repeated` if it may be given several times."""

    __slots__ = ("annotation", "default", "marker", "name", "repeated", "required", "type")

    def __init__(self, name: str, annotation: Any, default: Any) -> None:
        self.name = name
        self.annotation, self.marker = _unwrap(name, annotation)
        self.type, self.repeated = _element(self.annotation)
        self.required = default is inspect.Parameter.empty
        self.default = None if self.required else default

    @property
    def positional(self) -> bool:
        """Whether it is given by place and not by a flag."""
        return isinstance(self.marker, Arg)


class Declared(Generic[P, R]):
    """A command.  Awaiting a call of it does the work and returns the typed result; it prints nothing.

    `result` is the type of the result.  A command with `stream` sends values of that type through `App.emit` while it
    runs, under an event loop.  `render` names the function of `tmuxorc.cli.render` that draws the result for people;
    `act` does instead what only a terminal can have done to it.  `status` turns the result into the exit status.
    """

    def __init__(self, function: Callable[Concatenate[App, P], Awaitable[R]], said: "command") -> None:
        self.function = function
        self.examples = said.examples
        self.render = said.render
        self.act: Callable[[R], None] | None = said.act
        self.status: Callable[[R], int] | None = said.status
        self.stream = said.stream
        self.doc = inspect.cleandoc(function.__doc__ or "")
        self.result: type[R] = function.__annotations__["return"]
        self._parameters: tuple[Parameter, ...] | None = None

    def __call__(self, app: App, *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]:
        return self.function(app, *args, **kwargs)

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.doc.partition("\n")[0]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Everything after the application itself, in order."""
        if self._parameters is None:
            given = list(inspect.signature(self.function).parameters.values())[1:]
            self._parameters = tuple(Parameter(p.name, p.annotation, p.default) for p in given)
        return self._parameters


class command:  # noqa: N801 - used as a decorator only
    """Declare the function below a command, with examples of its use; see `Declared` for the rest."""

    def __init__(
        self,
        *examples: str,
        render: str | None = None,
        act: Callable[[Any], None] | None = None,
        status: Callable[[Any], int] | None = None,
        stream: type | None = None,
    ) -> None:
        self.examples = examples
        self.render = render
        self.act = act
        self.status = status
        self.stream = stream

    def __call__(self, function: Callable[Concatenate[App, P], Awaitable[R]]) -> Declared[P, R]:
        return Declared(function, self)


def _unwrap(name: str, annotation: Any) -> tuple[Any, Param]:
    for extra in getattr(annotation, "__metadata__", ()):
        if isinstance(extra, Param):
            return annotation.__origin__, extra
    raise TypeError(f"parameter {name!r} is not Annotated with Arg or Opt")


def _element(annotation: Any) -> tuple[Any, bool]:
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        some = [a for a in get_args(annotation) if a is not type(None)]
        return _element(some[0])
    if origin is tuple:
        return get_args(annotation)[0], True
    if origin is dict:
        return dict, True
    return annotation, False
