"""Terminal input of the demo agent, bytes in and keys out; knows nothing of what the keys mean."""

PASTE_BEGIN = b"\x1b[200~"
PASTE_END = b"\x1b[201~"

Key = tuple[str, str]
"""``("text", characters)``, ``("paste", text)`` or ``("key", name)``."""

_CONTROL = {
    0x01: "home",
    0x03: "ctrl-c",
    0x04: "ctrl-d",
    0x08: "backspace",
    0x0A: "newline",
    0x0D: "enter",
    0x15: "ctrl-u",
    0x7F: "backspace",
}


def decode(data: bytes) -> str:
    """Text of any bytes at all: what is not UTF-8 becomes lone surrogates and so is kept."""
    return data.decode("utf-8", "surrogateescape")


class KeyReader:
    """Cut the input stream into keys, wherever a read happens to end.

    An Enter that comes in the same read as the end of a paste belongs to the paste, as in the real programs: `feed`
    gives it as ``newline``.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._pasting = False
        self._pasted = bytearray()

    def feed(self, data: bytes) -> list[Key]:
        """Keys that are complete after `data`, one read's worth of bytes."""
        keys: list[Key] = []
        rest = self._rest + data
        after_paste = False
        while rest:
            if self._pasting:
                rest, ended = self._paste(rest, keys)
                after_paste = after_paste or ended
                if not ended:
                    break
                continue
            size = self._one(rest, keys, after_paste)
            if not size:
                break
            rest = rest[size:]
        self._rest = rest
        return keys

    @property
    def waiting_escape(self) -> bool:
        """Whether all that is pending is an ESC, which may be the key or the beginning of a sequence."""
        return self._rest == b"\x1b" and not self._pasting

    def flush_escape(self) -> list[Key]:
        """The pending ESC was the key."""
        self._rest = b""
        return [("key", "escape")]

    def _paste(self, data: bytes, keys: list[Key]) -> tuple[bytes, bool]:
        start = max(0, len(self._pasted) - len(PASTE_END))
        self._pasted += data
        end = self._pasted.find(PASTE_END, start)
        if end < 0:
            return b"", False
        text = bytes(self._pasted[:end]).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        rest = bytes(self._pasted[end + len(PASTE_END) :])
        keys.append(("paste", decode(text)))
        self._pasted = bytearray()
        self._pasting = False
        return rest, True

    def _one(self, data: bytes, keys: list[Key], after_paste: bool) -> int:
        """Take one key off `data`; how many bytes it was, 0 if it is not complete."""
        first = data[0]
        if first == 0x1B:
            return self._escape(data, keys)
        if first in _CONTROL:
            name = _CONTROL[first]
            keys.append(("key", "newline" if after_paste and name == "enter" else name))
            return 1
        if first < 0x20:
            keys.append(("text", "\t") if first == 9 else ("key", "other"))
            return 1
        return _text(data, keys)

    def _escape(self, data: bytes, keys: list[Key]) -> int:
        if data.startswith(PASTE_BEGIN):
            self._pasting = True
            return len(PASTE_BEGIN)
        if len(data) == 1:
            return 0
        if data[1] not in b"[O":
            keys.append(("key", "newline" if data[1] == 0x0D else "escape"))
            return 2 if data[1] == 0x0D else 1
        for index in range(2, len(data)):
            if 0x40 <= data[index] <= 0x7E:
                keys.append(("key", _sequence(data[2 : index + 1])))
                return index + 1
        return 0


def _sequence(tail: bytes) -> str:
    return {b"A": "up", b"B": "down", b"C": "right", b"D": "left"}.get(tail, "other")


def _text(data: bytes, keys: list[Key]) -> int:
    end = 0
    while end < len(data) and data[end] >= 0x20 and data[end] != 0x7F:
        end += 1
    if end == len(data):
        end -= _unfinished(data)
    if end:
        keys.append(("text", decode(data[:end])))
    return end


def _unfinished(data: bytes) -> int:
    """How many bytes at the end of `data` begin a UTF-8 character that is not complete."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if 0xC2 <= byte < 0xF5:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if back < needed else 0
        if byte < 0x80:
            return 0
    return 0
