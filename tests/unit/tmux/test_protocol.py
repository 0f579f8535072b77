"""The control-mode parser: blocks, events, and any bytes at all."""

from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.tmux._protocol import ControlParser, Notice, Output, Paused, Reply, Stray, Subscribed, unescape

ANY_LINE = st.binary(max_size=40).map(lambda line: line.replace(b"\n", b""))
TRICKY_LINE = st.sampled_from(
    [
        b"%end 1 2 3",
        b"%end 1363006971 2 0",
        b"%error 1363006971 3 1",
        b"%begin 1363006971 2 1",
        b"%output %1 abc",
        b"%exit",
        b"",
        b"%",
        b"% begin",
        b"\xff\xfe",
        b"%end",
    ]
)


def parse(*pieces: bytes) -> list[object]:
    parser = ControlParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def test_a_block_is_one_reply_with_its_lines_raw():
    assert parse(b"%begin 1 2 1\nhello\n\nworld\n%end 1 2 1\n") == [Reply((b"hello", b"", b"world"))]


def test_an_error_block_is_a_reply_that_failed():
    assert parse(b"%begin 1 2 1\nno such pane: %9\n%error 1 2 1\n") == [Reply((b"no such pane: %9",), error=True)]


def test_a_block_of_somebody_else_is_not_ours():
    assert parse(b"%begin 1 2 0\n%end 1 2 0\n") == [Reply((), ours=False)]


def test_only_all_three_numbers_end_a_block():
    """The lines between are raw, and a screen may show any line."""
    lines = [
        b"%end 1 2 0",
        b"%end 1 3 1",
        b"%end 2 2 1",
        b"%output %1 x",
        b"%begin 1 2 1",
        b"x%end 1 2 1",
        b"%end 1 2 1 ",
    ]
    block = b"%begin 1 2 1\n" + b"\n".join(lines) + b"\n%end 1 2 1\n"
    assert parse(block) == [Reply(tuple(lines))]


def test_a_line_outside_any_block_is_a_stray_and_harms_nothing():
    """A hook may print into the stream."""
    events = parse(b"printed by a hook\n%output %1 a\n\n%end 1 2 3\n%begin x\n%begin 1 2 1\n%end 1 2 1\n")
    assert events == [
        Stray(b"printed by a hook"),
        Output("%1", b"a"),
        Stray(b""),
        Notice("end", b"1 2 3"),
        Notice("begin", b"x"),
        Reply(()),
    ]


def test_output_is_unescaped_on_demand():
    r"""Bytes below 32 and the backslash come as ``\ooo``, everything else as it is."""
    (event,) = parse(rb"%output %12 a\015\012\134012\033[1m " + "é".encode()[:1] + b"\n")
    assert isinstance(event, Output)
    assert (event.pane, event.data) == ("%12", b"a\r\n\\012\x1b[1m \xc3")


def test_extended_output_is_output():
    assert parse(b"%extended-output %3 1500 : a : b\n%extended-output %3 0 x y : c\n") == [
        Output("%3", b"a : b"),
        Output("%3", b"c"),
    ]


def test_a_pause_names_the_pane():
    assert parse(b"%pause %7\n%pause nothing\n") == [Paused("%7"), Stray(b"%pause nothing")]


def test_a_subscription_keeps_its_value_whole():
    assert parse(b"%subscription-changed n $1 @2 3 %4 : 0 0 : a : b\n") == [Subscribed("n", "%4", b"0 0 : a : b")]


def test_a_subscription_for_no_pane_is_a_stray():
    assert parse(b"%subscription-changed n $1 - - - : 1\n") == [Stray(b"%subscription-changed n $1 - - - : 1")]


def test_other_notifications_keep_name_and_rest():
    assert parse(b"%window-add @3\n%sessions-changed\n%exit too far behind\n") == [
        Notice("window-add", b"@3"),
        Notice("sessions-changed", b""),
        Notice("exit", b"too far behind"),
    ]


def test_unknown_escapes_are_kept():
    assert unescape(rb"\9 \12 \400 \777 \x") == rb"\9 \12 \400 \777 \x"


@given(st.binary(max_size=200))
def test_what_tmux_escapes_comes_back(data: bytes):
    escaped = b"".join(b"\\%03o" % byte if byte < 32 or byte == 0x5C else bytes([byte]) for byte in data)
    assert unescape(escaped) == data


@given(st.lists(st.one_of(ANY_LINE, TRICKY_LINE), max_size=12), st.data())
def test_pieces_make_no_difference(lines: list[bytes], data: st.DataObject):
    stream = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert parse(*pieces) == parse(stream)


@given(st.lists(st.one_of(ANY_LINE, TRICKY_LINE), max_size=12))
def test_a_block_survives_any_lines_inside_it(lines: list[bytes]):
    inside = [line for line in lines if line not in (b"%end 77 88 1", b"%error 77 88 1")]
    stream = b"%begin 77 88 1\n" + b"".join(line + b"\n" for line in inside) + b"%end 77 88 1\n%window-add @1\n"
    assert parse(stream) == [Reply(tuple(inside)), Notice("window-add", b"@1")]


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(data: bytes):
    parser = ControlParser()
    parser.feed(data)
    parser.feed(b"\n")
