"""Server-sent events out of bytes, wherever the stream is cut (WHATWG HTML, 9.2)."""

LONGEST = 1 << 25
"""Bytes of one line; a longer one is dropped whole."""


class SseDecoder:
    """Feed it every byte of one stream, in order.  Only the data of events is kept: nobody here uses more."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._dropping = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of each event that `piece` completes."""
        *lines, rest = piece.split(b"\n")
        if not lines:
            self._keep(rest)
            return []
        self._keep(lines[0])
        lines[0] = bytes(self._rest)
        dropped, self._dropping = self._dropping, False
        self._rest.clear()
        self._keep(rest)
        found = (self._line(line.removesuffix(b"\r")) for line in lines[dropped:])
        return [event for event in found if event is not None]

    def _keep(self, rest: bytes) -> None:
        self._dropping = self._dropping or len(self._rest) + len(rest) > LONGEST
        self._rest += b"" if self._dropping else rest

    def _line(self, line: bytes) -> bytes | None:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        if line or not self._data:
            return None
        event, self._data = b"\n".join(self._data), []
        return event
