r"""tmux's control mode as a plain object: bytes in, events out; it knows no connection, no clock and no command.

A reply is a *block*: ``%begin TIME NUMBER FLAGS``, raw lines, and ``%end`` (or ``%error``) with the same three values.
Only a closing line with all three ends it, for a screen may show any line, one that looks like ``%end`` included.
Outside a block every line is an event of its own; what is none that we know is a `Stray`, never an error.
"""

import re

import msgspec


class Reply(msgspec.Struct, frozen=True):
    """One block: its raw `lines`, whether tmux closed it as an error, and whether this client asked for it (`ours`)."""

    lines: tuple[bytes, ...]
    error: bool = False
    ours: bool = True


class Output(msgspec.Struct, frozen=True):
    r"""What a program wrote to its pane, still escaped as ``\ooo`` in `raw`; `data` unescapes on demand."""

    pane: str
    raw: bytes

    @property
    def data(self) -> bytes:
        """The bytes as the program wrote them; UTF-8 may be cut anywhere between two events."""
        return unescape(self.raw)


class Paused(msgspec.Struct, frozen=True):
    """tmux stopped sending a pane's output because we fell behind; what it wrote meanwhile will not come."""

    pane: str


class Subscribed(msgspec.Struct, frozen=True):
    """A subscription's new value for a pane."""

    name: str
    pane: str
    value: bytes


class Notice(msgspec.Struct, frozen=True):
    """Any other notification: its name without the ``%``, and the rest of the line."""

    name: str
    rest: bytes


class Stray(msgspec.Struct, frozen=True):
    """A line that belongs to nothing: printed by a hook, or the tail of a value that holds a newline."""

    line: bytes


ControlEvent = Reply | Output | Paused | Subscribed | Notice | Stray

_ESCAPE = re.compile(rb"\\([0-7]{3})")
_BEGIN = re.compile(rb"%begin (\d+ \d+ (\d+))$")
_NOTICE = re.compile(rb"%([a-z][a-z-]*)(?: (.*))?$", re.DOTALL)
_EXTENDED = re.compile(rb"(%\d+) [^:]*: (.*)$", re.DOTALL)
_OUTPUT = re.compile(rb"(%\d+) (.*)$", re.DOTALL)
_SUBSCRIBED = re.compile(rb"(\S+) \S+ \S+ \S+ (%\d+) : (.*)$", re.DOTALL)
_PANE = re.compile(rb"%\d+$")
_BYTES = {b"%03o" % code: bytes([code]) for code in range(256)}


def unescape(raw: bytes) -> bytes:
    r"""Undo the ``\ooo`` of ``%output``; anything else is kept as it is."""
    if b"\\" not in raw:
        return raw
    return _ESCAPE.sub(lambda match: _BYTES.get(match[1], match[0]), raw)


class ControlParser:
    """Cuts the stream into events; `feed` takes it in pieces of any size."""

    __slots__ = ("_closing", "_lines", "_ours", "_partial")

    def __init__(self) -> None:
        self._partial: list[bytes] = []
        self._closing = b""
        self._lines: list[bytes] = []
        self._ours = False

    def __repr__(self) -> str:
        return f"<ControlParser {'in a block' if self._closing else 'between blocks'}>"

    def feed(self, data: bytes) -> list[ControlEvent]:
        """The events that `data` completes, in order."""
        if b"\n" not in data:
            self._partial.append(data)
            return []
        lines = b"".join((*self._partial, data)).split(b"\n")
        self._partial = [lines.pop()]
        events = (self._inside(line) if self._closing else self._outside(line) for line in lines)
        return [event for event in events if event is not None]

    def _inside(self, line: bytes) -> Reply | None:
        if line.endswith(self._closing) and line in (b"%end " + self._closing, b"%error " + self._closing):
            reply = Reply(tuple(self._lines), line.startswith(b"%error"), self._ours)
            self._closing, self._lines = b"", []
            return reply
        self._lines.append(line)
        return None

    def _outside(self, line: bytes) -> ControlEvent | None:
        # A real %begin always opens a block: outside of one, nothing an agent prints reaches the start of a line.
        if begin := _BEGIN.match(line):
            self._closing, self._ours = begin[1], bool(int(begin[2]) & 1)
            return None
        return _event(line)


def _event(line: bytes) -> ControlEvent:
    notice = _NOTICE.match(line)
    if notice is None:
        return Stray(line)
    name, rest = notice[1], notice[2] or b""
    special = _SPECIAL.get(name)
    event = special(rest) if special is not None else Notice(name.decode(), rest)
    return Stray(line) if event is None else event


def _output(rest: bytes) -> Output | None:
    match = _OUTPUT.match(rest)
    return None if match is None else Output(match[1].decode(), match[2])


def _extended(rest: bytes) -> Output | None:
    match = _EXTENDED.match(rest)
    return None if match is None else Output(match[1].decode(), match[2])


def _paused(rest: bytes) -> Paused | None:
    return Paused(rest.decode()) if _PANE.match(rest) else None


def _subscribed(rest: bytes) -> Subscribed | None:
    match = _SUBSCRIBED.match(rest)
    return None if match is None else Subscribed(match[1].decode(errors="replace"), match[2].decode(), match[3])


_SPECIAL = {
    b"output": _output,
    b"extended-output": _extended,
    b"pause": _paused,
    b"subscription-changed": _subscribed,
}
