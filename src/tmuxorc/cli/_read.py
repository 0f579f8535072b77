"""Reading what people type into the values commands take; every function here serves as a `Param.read`.

A `ValueError` becomes a usage error that names the parameter; a `TmuxOrcError` stands as it is.
"""

import os
import sys

from tmuxorc.errors import NotFoundError, UsageError


def key_value(text: str) -> tuple[str, str]:
    """``KEY=VALUE``, or ``KEY`` alone for its value here: what is typed shows in everybody's list of processes."""
    key, equals, value = text.partition("=")
    if not key:
        raise ValueError(f"{text!r} is neither KEY=VALUE nor KEY")
    if equals:
        return key, value
    if key not in os.environ:
        raise ValueError(f"{key} is not set here: export it first, or give {key}=VALUE")
    return key, os.environ[key]


def seconds(text: str) -> float:
    """A time: plain seconds, or with ``ms``, ``s``, ``m`` or ``h`` after the number."""
    for suffix, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("", 1.0)):
        number = text.removesuffix(suffix)
        if text.endswith(suffix) and _is_number(number):
            return float(number) * factor
    raise ValueError(f"{text!r} is not a time: give seconds, or 500ms, 30s, 5m, 1h")


def _is_number(text: str) -> bool:
    return bool(text) and text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit()


def text_or_stdin(text: str) -> str:
    """The text itself; ``-`` reads standard input to its end."""
    return stdin() if text == "-" else text


def text_or_file(text: str) -> str:
    """The text itself; ``@FILE`` reads the file, ``-`` standard input."""
    return file(text[1:]) if text.startswith("@") and len(text) > 1 else text_or_stdin(text)


def file_or_stdin(path: str) -> str:
    """All of the file, ``-`` being standard input."""
    return stdin() if path == "-" else file(path)


def stdin() -> str:
    """All of standard input, as UTF-8; one newline at its end is dropped, as a shell's ``$(…)`` does."""
    return _decode(sys.stdin.buffer.read(), "standard input")


def file(path: str) -> str:
    """All of the file, as UTF-8, without one newline at its end."""
    try:
        with open(path, "rb") as stream:
            return _decode(stream.read(), path)
    except FileNotFoundError:
        raise NotFoundError(f"no such file: {path}") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError as error:
        message = f"{name} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}"
        raise UsageError(message, hint="convert it, for example: iconv -f latin1 -t utf-8") from None


def absolute(path: str) -> str:
    """The path made absolute from here; whether it is what it should be is for its reader to say."""
    return os.path.abspath(os.path.expanduser(path))
