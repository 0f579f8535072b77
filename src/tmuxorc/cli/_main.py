"""From words to exit status: parse, run, show, and turn everything that can go wrong into one clear error."""

import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import asyncclick as click
from asyncclick.exceptions import Exit

from tmuxorc.cli import _output
from tmuxorc.cli._app import App
from tmuxorc.cli._click import Job
from tmuxorc.cli._group import PROGRAM, parse
from tmuxorc.cli._tree import with_verb
from tmuxorc.errors import ExitStatus, TmuxOrcError, UsageError

T = TypeVar("T")

COMPLETE_VARIABLE = "_TMUX_ORC_COMPLETE"
"""Set by the completion scripts; the protocol is asyncclick's."""

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""

PIPE_CLOSED = 141
"""128 + SIGPIPE: what the process would have died of, were Python not to turn it into an exception."""


def run(words: list[str]) -> int:
    """Run the command given by `words`; returns the exit status, and raises nothing but defects."""
    import os

    if COMPLETE_VARIABLE in os.environ:
        from tmuxorc.cli.completion import complete

        return complete(os.environ[COMPLETE_VARIABLE])
    try:
        status = _run(words)
        sys.stdout.flush()
    except TmuxOrcError as error:
        return _output.report(error, as_json=wants_json(words))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _output.silence()
        return PIPE_CLOSED
    except OSError as error:
        return _output.report(TmuxOrcError(f"the system says: {error}"), as_json=wants_json(words))
    return status


def _run(words: list[str]) -> int:
    try:
        job = drive(parse(words))
    except Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        if wants_json(words):
            _refuse(error)
        _output.write_text(error.message, sys.stderr)
        return int(ExitStatus.USAGE)
    except click.ClickException as error:
        _refuse(error)
    try:
        return perform(job)
    except TmuxOrcError as error:
        error.hint = App(job.instance).naming(error.hint)
        raise


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends: no event loop is needed, and none is imported."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("a command that declares no stream has suspended")


def perform(job: Job) -> int:
    """Run the job and show its result; returns the exit status."""
    declared = job.declared
    app = _json_app(job) if job.as_json else App(job.instance, emit=_show, say=_output.write_text)
    work = declared.function(app, **job.values)
    result = _under_trio(work) if declared.stream is not None else drive(_coroutine(work))
    if job.as_json:
        if declared.stream is None:
            _output.write_json(result)
    elif declared.act is not None:
        declared.act(result)
    else:
        _show(result, declared.render)
    return int(ExitStatus.DONE if declared.status is None else declared.status(result))


def _json_app(job: Job) -> App:
    """Standard output is for the result alone; who wants to see progress has it on the terminal."""
    return App(job.instance, emit=_output.write_json)


async def _coroutine(work: Any) -> Any:
    return await work


def _under_trio(work: Any) -> Any:
    import gc

    import trio

    gc.enable()  # `main` turned it off for processes that end at once
    return trio.run(_coroutine, work)


def _show(result: Any, name: str | None = None) -> None:
    from tmuxorc.cli.render import render

    _output.write_text(render(result, name))


def wants_json(words: list[str]) -> bool:
    """Whether JSON was asked for, in words that may not even parse."""
    before = words[: words.index("--")] if "--" in words else words
    return "--json" in before


def _refuse(error: click.ClickException) -> NoReturn:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    where = ctx.command_path if ctx is not None else PROGRAM
    helpless = isinstance(error, click.exceptions.NoArgsIsHelpError) or error.message == "Missing command."
    message = f"{where} needs a command" if helpless else error.format_message()
    raise UsageError(message, hint=_hint(error, where)) from None


def _hint(error: click.ClickException, where: str) -> str:
    if isinstance(error, click.exceptions.NoSuchCommand) and (longer := with_verb(error.command_name)):
        return f"did you mean: {' or: '.join(f'{PROGRAM} {words}' for words in longer)}"
    if isinstance(error, click.exceptions.NoSuchOption):
        return f"{where} --help; put -- before words that begin with a dash"
    if "unexpected extra argument" in error.format_message():
        return f"{where} --help; put a text of several words into quotes"
    return f"{where} --help"
