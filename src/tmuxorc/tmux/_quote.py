"""Text into one argument of tmux's command language, and argument vectors into one line of control mode.

Everything sent over control mode passes tmux's own parser; this is the only place that knows its rules.
"""

from collections.abc import Iterable, Sequence

from tmuxorc.tmux._errors import Unsayable

Argument = str | bytes
Argv = tuple[Argument, ...]

# Single quotes keep every byte but themselves and the newline.  0xFF is the parser's end of file, a carriage return may
# be taken for a part of the line's end; both, like the newline, are said in double quotes by their escapes.
_SPECIAL = ((b"'", b"'\"'\"'"), (b"\n", b"'\"\\n\"'"), (b"\r", b"'\"\\r\"'"), (b"\xff", b"'\"\\377\"'"))


def quote(text: str) -> str:
    """`text` as one argument for tmux's parser, on one line; bytes that are not UTF-8 travel as surrogate escapes.

    Raises `Unsayable` for NUL and for lone surrogates.
    """
    return quote_bytes(encode(text)).decode("utf-8", "surrogateescape")


def quote_bytes(data: bytes) -> bytes:
    """`quote` for bytes, which need not be UTF-8."""
    if 0 in data:
        raise Unsayable("a NUL byte cannot be passed to tmux")
    for special, said in _SPECIAL:
        data = data.replace(special, said)
    return b"'" + data + b"'"


def command_line(argv: Iterable[Argument]) -> bytes:
    """`argv` as one command, without the newline that ends the line."""
    return b" ".join(quote_bytes(encode(argument)) for argument in argv)


def sequence(commands: Sequence[Iterable[Argument]]) -> bytes:
    """Several commands as one line: tmux runs them with nothing in between, and stops at the first error."""
    return b" ; ".join(command_line(argv) for argv in commands)


def encode(argument: Argument) -> bytes:
    """UTF-8, with surrogate escapes back to the bytes they stand for."""
    if isinstance(argument, bytes):
        return argument
    try:
        return argument.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise Unsayable("a lone surrogate cannot be passed to tmux") from None
