"""Evidence in a program's raw output: titles, bells, OSC 7501 and bracketed paste mode, wherever the stream is cut.

tmux shows none of OSC 7501 and has no format for mode 2004, but its output events carry them.
"""

from tmuxorc.agents.evidence import Bell, Evidence, ModeChanged, Osc, TitleSeen

_LONGEST = 4096
_KNOWN_OSC = (0, 2, 7501)
_KNOWN_MODES = (2004,)
_STRING_INTRODUCERS = b"]P_^X"
_ESC, _BEL, _CAN, _SUB = 0x1B, 0x07, 0x18, 0x1A


class EscapeScanner:
    """Feed it every byte of one pane's output, in order.

    Text costs one search for ESC and BEL; a sequence longer than 4 KiB is given up.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes, at: float) -> list[Evidence]:
        """What `data` completes."""
        if not self._rest and _ESC not in data and _BEL not in data:
            return []
        found: list[Evidence] = []
        buffer = self._rest + data
        position = 0
        while position < len(buffer):
            position = _next_mark(buffer, position)
            if position == len(buffer):
                break
            if buffer[position] == _BEL:
                found.append(Bell(at=at))
                position += 1
                continue
            end = _sequence_end(buffer, position)
            if end is None:
                break
            found += _read(buffer[position:end], at)
            position = end
        self._rest = buffer[position:] if len(buffer) - position <= _LONGEST else b""
        return found


def _next_mark(buffer: bytes, position: int) -> int:
    escape, bell = buffer.find(b"\x1b", position), buffer.find(b"\x07", position)
    return min((mark for mark in (escape, bell) if mark >= 0), default=len(buffer))


def _sequence_end(buffer: bytes, start: int) -> int | None:
    """Where the sequence that begins at `start` ends, or None if it is not complete."""
    if start + 1 >= len(buffer):
        return None
    introducer = buffer[start + 1]
    if introducer == 0x5B:
        return _csi_end(buffer, start + 2)
    if introducer in _STRING_INTRODUCERS:
        return _string_end(buffer, start + 2)
    return start + 1 if introducer == _ESC else start + 2


def _csi_end(buffer: bytes, position: int) -> int | None:
    while position < len(buffer):
        byte = buffer[position]
        if byte in (_ESC, _CAN, _SUB):
            return position
        position += 1
        if 0x40 <= byte <= 0x7E:
            return position
    return None


def _string_end(buffer: bytes, position: int) -> int | None:
    """Strings end with BEL or ST; another ESC, CAN or SUB breaks them off."""
    while position < len(buffer):
        byte = buffer[position]
        if byte == _BEL:
            return position + 1
        if byte in (_CAN, _SUB):
            return position
        if byte == _ESC:
            if position + 1 == len(buffer):
                return None
            return position + 2 if buffer[position + 1] == 0x5C else position
        position += 1
    return None


def _read(sequence: bytes, at: float) -> list[Evidence]:
    if sequence.startswith(b"\x1b]"):
        return _osc(sequence, at)
    if sequence.startswith(b"\x1b[?") and sequence[-1:] in (b"h", b"l"):
        modes = (int(mode) for mode in sequence[3:-1].split(b";") if mode.isdigit() and len(mode) < 9)
        on = sequence.endswith(b"h")
        return [ModeChanged(at=at, mode=mode, on=on) for mode in modes if mode in _KNOWN_MODES]
    return []


def _osc(sequence: bytes, at: float) -> list[Evidence]:
    if not sequence.endswith((b"\x07", b"\x1b\\")):
        return []
    number, _, text = sequence[2:].removesuffix(b"\x07").removesuffix(b"\x1b\\").partition(b";")
    number = number.strip()
    if not (number.isdigit() and len(number) < 9) or int(number) not in _KNOWN_OSC:
        return []
    said = text.decode("utf-8", "replace").strip()
    return [Osc(at=at, number=7501, text=said) if int(number) == 7501 else TitleSeen(at=at, title=said)]
