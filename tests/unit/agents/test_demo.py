"""The demo agent without a terminal: its keys, its picture, its behaviour."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.agents.demo._keys import PASTE_BEGIN, PASTE_END, Key, KeyReader, decode
from tmuxorc.agents.demo._paint import changes, clip, paint, width, wrap
from tmuxorc.agents.demo._session import Session


def keys(*reads: bytes) -> list[Key]:
    """All keys of these reads."""
    reader = KeyReader()
    return [key for read in reads for key in reader.feed(read)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"ab", [("text", "ab")]),
        (b"a\r", [("text", "a"), ("key", "enter")]),
        (b"\n\x7f\x03\x04\x15", [("key", k) for k in ("newline", "backspace", "ctrl-c", "ctrl-d", "ctrl-u")]),
        (b"\t\x0e", [("text", "\t"), ("key", "other")]),
        (b"\x1b[A\x1b[B\x1bOC\x1b[1;5D", [("key", k) for k in ("up", "down", "right", "other")]),
        (b"\x1bx\x1b\r", [("key", "escape"), ("text", "x"), ("key", "newline")]),
        ("é日👩".encode(), [("text", "é日👩")]),
        (b"\xff", [("text", "\udcff")]),
        (PASTE_BEGIN + b"a\r\nb\rc" + PASTE_END, [("paste", "a\nb\nc")]),
        (PASTE_BEGIN + b"a" + PASTE_END + b"\r", [("paste", "a"), ("key", "newline")]),
    ],
)
def test_keys(data: bytes, expected: list[Key]) -> None:
    """Text, control keys, sequences, pastes; an Enter read together with a paste is part of it."""
    assert keys(data) == expected


def test_an_enter_read_by_itself_submits() -> None:
    """The paste was read before."""
    assert keys(PASTE_BEGIN + b"a" + PASTE_END, b"\r")[-1] == ("key", "enter")


def test_a_lone_escape_waits_for_what_follows() -> None:
    """Until the program says that nothing did."""
    reader = KeyReader()
    assert reader.feed(b"\x1b") == []
    assert reader.waiting_escape
    assert reader.flush_escape() == [("key", "escape")]
    assert not reader.waiting_escape


def joined(found: list[Key]) -> str:
    """All text, typed and pasted."""
    return "".join(value for kind, value in found if kind != "key")


PIECES = st.sampled_from([b"\x1b[A", PASTE_BEGIN, PASTE_END, b"\r", b"\xc3"])


@given(st.lists(st.one_of(st.text(max_size=5).map(str.encode), PIECES)))
def test_reads_may_end_anywhere(parts: list[bytes]) -> None:
    """One byte at a time gives the same text as all at once."""
    data = b"".join(parts)
    assert joined(keys(*(data[n : n + 1] for n in range(len(data))))) == joined(keys(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(data: bytes) -> None:
    """And can be painted afterwards."""
    session = Session()
    for key in [*keys(data), *keys(PASTE_END)]:
        session.press(key, 0.0)
    check_picture(session, 5, 20)


def check_picture(session: Session, rows: int, columns: int) -> None:
    """The picture fits, and can be written."""
    lines, cursor = paint(session, rows, columns, 1.0)
    assert len(lines) == rows
    assert all(width(line) <= columns for line in lines)
    assert all(line.isprintable() or not line for line in lines if line.isascii())
    assert cursor is None or (0 <= cursor[0] < max(rows, 4) and 0 <= cursor[1] < columns)
    changes([], (lines, cursor)).encode()


@given(
    st.lists(st.text(max_size=60), max_size=5),
    st.sampled_from(["", "ask x", "work 5", "limit 5", "lines 50"]),
    st.integers(4, 60),
    st.integers(8, 100),
)
def test_the_picture_fits_any_terminal(typed: list[str], script: str, rows: int, columns: int) -> None:
    """Whatever was said, whatever it is doing, however small."""
    session = Session()
    for text in (script, *typed):
        session.press(("paste", text), 0.0)
        session.press(("key", "enter"), 0.0)
    session.press(("paste", "".join(typed)), 0.0)
    check_picture(session, rows, columns)


def test_only_what_changed_is_painted_again() -> None:
    """A turning spinner costs one line."""
    session = Session()
    for key in keys(b"work 5\r"):
        session.press(key, 0.0)
    first, second = paint(session, 24, 80, 0.0), paint(session, 24, 80, 0.1)
    assert first != second
    assert len(changes(first[0], second)) < 60


def test_wide_characters_are_measured() -> None:
    """Two cells for each, none for what combines."""
    assert width("日本e\u0301") == 5
    assert wrap("日本語", 4) == ["日本", "語"]
    assert clip("日本語", 3) == "日"
    assert decode("é".encode()) == "é"


def run(session: Session, data: bytes, now: float = 0.0) -> list[tuple[str, str]]:
    """Keys into the session; what the program would have to do."""
    for key in keys(data):
        session.press(key, now)
    acts, session.acts = session.acts, []
    return acts


@pytest.mark.parametrize(
    ("script", "acts"),
    [
        ("exit 3", [("exit", "3")]),
        ("exit", [("exit", "0")]),
        ("crash", [("crash", "1")]),
        ("crash KILL", [("crash", "KILL")]),
        ("hang", [("hang", "inf")]),
        ("slow-start 2", [("restart", "2.0")]),
        ("[m-1 from main/bob]\nexit 4", [("exit", "4")]),
    ],
)
def test_scripts(script: str, acts: list[tuple[str, str]]) -> None:
    """The first line, or the second after a frame; the whole text is what was taken in."""
    session = Session()
    done = run(session, PASTE_BEGIN + script.encode() + PASTE_END) + run(session, b"\r")
    assert done[:2] == [("record", script), *acts]


def test_editing() -> None:
    """Backspace, newline, a trailing backslash, Ctrl-C twice."""
    session = Session()
    run(session, b"abc\x7f\n")
    assert session.draft == "ab\n"
    run(session, b"x\\\r")
    assert session.draft == "ab\nx\n"
    assert run(session, b"\x03") == []
    assert session.draft == ""
    assert run(session, b"\x03") == [("exit", "0")]
    assert run(session, b"\x04") == [("exit", "0")]
    assert run(session, b"  \r") == []


def test_a_big_paste_is_one_thing() -> None:
    """Shown by its size, removed as one."""
    session = Session()
    run(session, PASTE_BEGIN + b"x" * 3000 + PASTE_END)
    assert session.shown_draft() == "[Pasted 3000 bytes]"
    run(session, b"\x7f")
    assert session.draft == ""


def test_a_slash_is_a_command() -> None:
    """It is eaten: nothing is taken in."""
    session = Session()
    assert run(session, b"/help me\r") == []
    assert "unknown command: /help" in session.transcript


def test_a_dialog_ignores_pastes_and_obeys_enter() -> None:
    """As in the real programs: a message typed into it is lost and answers it."""
    session = Session()
    run(session, b"ask x\r")
    assert session.dialog
    run(session, PASTE_BEGIN + b"please stop" + PASTE_END)
    assert session.dialog
    run(session, b"\x1b[B")
    assert not session.dialog.choice
    run(session, b"\x1b[A\r")
    assert session.dialog is None
    session.tick(1.0)
    assert "● ran: x" in session.transcript


def run_python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """An interpreter, without a terminal."""
    return subprocess.run(
        [sys.executable, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
    )


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--record"]])
def test_a_wrong_option_is_told(arguments: list[str]) -> None:
    """Usage on stderr, status 2."""
    done = run_python("-I", "-m", "tmuxorc.agents.demo", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage:" in done.stderr


def test_it_needs_a_terminal() -> None:
    """And says so."""
    done = run_python("-I", "-m", "tmuxorc.agents.demo")
    assert (done.returncode, done.stderr) == (2, "the demo agent needs a terminal\n")


def test_it_imports_little() -> None:
    """Nothing but the standard library, and of that nothing slow: a hundred of them start at once."""
    code = "import sys, tmuxorc.agents.demo.__main__; print(*sys.modules)"
    loaded = set(run_python("-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}").stdout.split())
    assert "tmuxorc.agents.demo._session" in loaded
    assert not loaded & {"msgspec", "trio", "typing_extensions", "json", "re", "asyncio", "unicodedata", "dataclasses"}
