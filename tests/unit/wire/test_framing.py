"""Lines out of chunks."""

from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.wire.framing import MAX_LINE, MIB, Line, LineBuffer, Overlong

CHUNKS = st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b"ab\ncd", b"\n\n"]), max_size=20)


def feed_all(buffer: LineBuffer, chunks: list[bytes]) -> list[Line]:
    return [line for chunk in chunks for line in buffer.feed(chunk)]


@given(CHUNKS)
def test_chunks_make_no_difference(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    expected = [line for line in whole.split(b"\n")[:-1] if line and not line.isspace()]
    assert feed_all(LineBuffer(), chunks) == expected


@given(CHUNKS)
def test_a_line_is_overlong_or_whole_whatever_the_chunks(chunks: list[bytes]) -> None:
    limit = 5
    got = [None if isinstance(line, Overlong) else line for line in feed_all(LineBuffer(limit), chunks)]
    *ended, rest = b"".join(chunks).split(b"\n")
    kept = [line for line in ended if len(line) > limit or not (line.isspace() or not line)]
    assert got == [None if len(line) > limit else line for line in kept] + [None] * (len(rest) > limit)


def test_a_line_that_never_ends_is_told_once_and_holds_no_memory() -> None:
    buffer = LineBuffer(100)
    assert [type(line) for line in feed_all(buffer, [b"x" * 60] * 1000)] == [Overlong]
    assert repr(buffer) == "<LineBuffer skipping>"
    assert buffer.feed(b"tail\nnext\n") == [b"next"]


def test_the_limit_itself_is_allowed() -> None:
    line = b"x" * MAX_LINE
    [got] = LineBuffer().feed(line + b"\n")
    assert got == line
    assert len(line) > 16 * MIB
    assert [type(line) for line in LineBuffer().feed(line + b"x")] == [Overlong]
