"""Evidence in raw output, wherever the stream is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.agents import EscapeScanner
from tmuxorc.agents.evidence import Bell, Evidence, ModeChanged, Osc, TitleSeen


def scan(*pieces: bytes) -> list[Evidence]:
    """All that is found in the pieces."""
    scanner = EscapeScanner()
    return [found for piece in pieces for found in scanner.feed(piece, 1.0)]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"plain \xff text\r\n", []),
        (b"a\x07b", [Bell(at=1)]),
        (b"\x1b]7501;state=working:app=codex\x07", [Osc(at=1, number=7501, text="state=working:app=codex")]),
        (b"\x1b] 7501 ; state=idle \x1b\\x", [Osc(at=1, number=7501, text="state=idle")]),
        (b"\x1b]2;a title\x07", [TitleSeen(at=1, title="a title")]),
        ("\x1b]0;✳ Über\x1b\\".encode(), [TitleSeen(at=1, title="✳ Über")]),
        (b"\x1b[?2004h..\x1b[?2004l", [ModeChanged(at=1, mode=2004, on=True), ModeChanged(at=1, mode=2004, on=False)]),
        (b"\x1b[?25;2004h\x1b[?25l", [ModeChanged(at=1, mode=2004, on=True)]),
        (b"\x1b[31mred\x1b[0m\x1b(B\x1b7\x1b8", []),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", []),
        (b"\x1bP+q544e\x1b\\\x07", [Bell(at=1)]),
        (b"\x1b]2;broken\x1b[?2004h", [ModeChanged(at=1, mode=2004, on=True)]),
        (b"\x1b]2;cancelled\x18\x07", [Bell(at=1)]),
        (b"\x1b\x1b]2;t\x07", [TitleSeen(at=1, title="t")]),
        (b"\x1b]99999999999999;x\x07\x1b]x\x07\x1b[?x;99999999999h", []),
    ],
)
def test_what_is_found(data: bytes, found: list[Evidence]) -> None:
    """BEL and ST end a string alike; a BEL inside one is not a bell."""
    assert scan(data) == found


STREAM = "text\x07\x1b]7501;state=blocked\x1b\\ü\x1b[?2004h\x1b[1;31mx\x1b]2;tïtle\x07\x1b[?2004l".encode()


@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_the_stream_may_be_cut_anywhere(cuts: list[int]) -> None:
    """The same is found, whatever tmux puts into one event."""
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[a:b] for a, b in pairwise(edges)]
    assert scan(*pieces) == scan(STREAM)


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_any_bytes_at_all(pieces: list[bytes]) -> None:
    """Nothing raises, and what comes after a reset is found."""
    assert scan(*pieces, b"\x18\x1b\\\x1b]2;still here\x07")[-1] == TitleSeen(at=1, title="still here")


def test_an_endless_sequence_is_given_up() -> None:
    """A program that begins a string and never ends it does not fill memory."""
    scanner = EscapeScanner()
    scanner.feed(b"\x1b]2;", 0)
    for _ in range(100):
        scanner.feed(b"x" * 1000, 0)
    assert scanner.feed(b"\x07", 1) == [Bell(at=1)]
