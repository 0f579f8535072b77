"""What the process says: results on standard output, errors on standard error, each either for people or as JSON."""

import os
import sys
from typing import Any, TextIO

from tmuxorc import jsontext
from tmuxorc.errors import TmuxOrcError
from tmuxorc.model import Frozen

WIDTH = 80
"""Columns assumed where there is no terminal to ask."""


class ErrorBody(Frozen):
    """An error as programs read it; `code` is stable."""

    code: str
    message: str
    hint: str
    details: dict[str, Any]


class ErrorReport(Frozen):
    """The object on standard error when ``--json`` was asked for."""

    error: ErrorBody


def write_json(result: object) -> None:
    """One line of JSON on standard output, flushed: a reader of a stream waits for it."""
    data = jsontext.encode(result) + b"\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def write_text(text: str, stream: TextIO | None = None) -> None:
    """The text and a newline, whatever the terminal's encoding can show of it."""
    out = sys.stdout if stream is None else stream
    if not text:
        return
    encoding = out.encoding or "utf-8"
    out.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    out.flush()


def report(error: TmuxOrcError, *, as_json: bool) -> int:
    """Say what went wrong on standard error; return the exit status."""
    if as_json:
        body = ErrorBody(code=error.code, message=error.message, hint=error.hint, details=error.details)
        text = jsontext.encode(ErrorReport(error=body)).decode()
    else:
        text = f"error: {_visible(error.message)}"
        text += f"\nhint: {_visible(error.hint)}" if error.hint else ""
    write_text(text, sys.stderr)
    return int(error.exit_status)


def _visible(text: str) -> str:
    """Control bytes shown, not obeyed: a message may quote what another program wrote."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def terminal_width() -> int:
    """Columns of the terminal; 80 where there is none."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return WIDTH


def silence() -> None:
    """Point standard output at nothing, so that the interpreter's last flush cannot fail on a closed pipe."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
