"""Cut a byte stream into lines, whatever the chunks, and survive a line that is too long.  No I/O here."""

MIB = 1024 * 1024

MAX_LINE = 16 * MIB + 64 * 1024
"""Longest line accepted, in bytes: 16 MiB of content and the envelope around it."""


class Overlong:
    """Stands in for a line above the limit; the rest of that line is dropped up to its newline."""

    __slots__ = ("limit",)

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def __repr__(self) -> str:
        return f"Overlong(limit={self.limit})"


Line = bytes | Overlong


class LineBuffer:
    """Collects chunks until a newline ends them.

    Keeps at most `limit` bytes.  An overlong line is reported once, as soon as it is known to be too long, so that a
    peer who never ends it learns of it too.
    """

    __slots__ = ("_limit", "_parts", "_size", "_skipping")

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._skipping = False

    def __repr__(self) -> str:
        return f"<LineBuffer {'skipping' if self._skipping else f'{self._size} bytes'}>"

    def feed(self, data: bytes) -> list[Line]:
        """Take a chunk; return the lines it completed, without newlines and without empty ones."""
        lines: list[Line] = []
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._add(piece, lines)
            self._end(lines)
        self._add(rest, lines)
        return lines

    def _add(self, piece: bytes, lines: list[Line]) -> None:
        if self._skipping or not piece:
            return
        self._size += len(piece)
        self._parts.append(piece)
        if self._size > self._limit:
            self._parts.clear()
            self._skipping = True
            lines.append(Overlong(self._limit))

    def _end(self, lines: list[Line]) -> None:
        line = b"".join(self._parts)
        if line and not line.isspace():
            lines.append(line)
        self._parts.clear()
        self._size = 0
        self._skipping = False
