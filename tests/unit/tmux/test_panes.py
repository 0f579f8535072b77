"""What is said to tmux about panes and sessions, and how its answers are read."""

import pytest

from tmuxorc.tmux import NoSuchTarget, PaneSpec, PaneStatus, TmuxRefused, is_pane_id
from tmuxorc.tmux._panes import load_buffer, parse_capture, parse_panes, parse_status, program
from tmuxorc.tmux._protocol import Reply
from tmuxorc.tmux._sessions import (
    parse_control_clients,
    parse_links,
    parse_placeholders,
    parse_sessions,
    session_name,
)


def spec(*argv: str, unset: tuple[str, ...] = ()) -> PaneSpec:
    return PaneSpec(name="x", argv=argv, cwd="/", unset=unset)


def test_several_words_are_the_command_itself():
    assert program(spec("sleep", "9")) == ("sleep", "9")


def test_one_word_is_kept_from_the_shell():
    assert program(spec("my program")) == ("env", "my program")


def test_variables_are_unset_by_env():
    assert program(spec("a", "b", unset=("X", "Y"))) == ("env", "-u", "X", "-u", "Y", "a", "b")


def test_a_program_with_an_equals_sign_is_not_taken_for_a_variable():
    assert program(spec("a=b", "c")) == ("sh", "-c", 'exec "$0" "$@"', "a=b", "c")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"%1 0 42  ", PaneStatus(dead=False, pid=42)),
        (b"%1 1 42 3 ", PaneStatus(dead=True, pid=42, status=3)),
        (b"%1 1 42  KILL", PaneStatus(dead=True, pid=42, signal="SIGKILL")),
        (b"%1 1 42  9", PaneStatus(dead=True, pid=42, signal="SIGKILL")),
        (b"%1 1  0 ", PaneStatus(dead=True, pid=0, status=0)),
        (b"%1 1 -1 0 0", PaneStatus(dead=True, pid=0, status=0)),
        (b"%1 1 42  250", PaneStatus(dead=True, pid=42, signal="SIG250")),
    ],
)
def test_a_pane_s_end_is_read_from_every_version(answer: bytes, status: PaneStatus):
    assert parse_status("%1", [answer]) == status


def test_a_pane_that_expands_to_nothing_does_not_exist():
    with pytest.raises(NoSuchTarget) as caught:
        parse_status("%1", [b"    "])
    assert caught.value.code == "tmux_no_target"


def test_only_panes_of_the_instance_are_ours_and_each_is_listed_once():
    lines = [
        b"%1 @1 $0 10 0 one",
        b"%1 @1 $4 10 0 one",
        b"%2 @2 $0 11 1 two",
        b"%3 @3 $4 12 0 ",
        b"%4 @4 $4 13 0 on%65",
        b"%5 @5 $4 14 0 one more",
        b"garbage",
    ]
    found = parse_panes(lines, "one")
    assert list(found) == ["%1", "%4"]
    assert (found["%1"].sessions, found["%1"].pid, found["%1"].dead) == (("$0", "$4"), 10, False)


def test_a_screen_s_scrollback_is_told_from_its_rows():
    screen = parse_capture(Reply((b"3 1 0 80 2 1 1 0",)), Reply((b"a title",)), Reply((b"old", b"one", b"two \xff")))
    assert (screen.lines, screen.history_lines, screen.rows, screen.columns) == (("old", "one", "two \ufffd"), 1, 2, 80)
    assert (screen.cursor, screen.cursor_visible, screen.in_mode, screen.alternate_on) == ((3, 1), False, True, True)


def test_a_screen_that_is_not_described_is_an_error():
    with pytest.raises(TmuxRefused):
        parse_capture(Reply(()), Reply(()), Reply(()))


def test_a_long_text_is_loaded_in_pieces():
    lines = load_buffer("b", b"x" * 100_000)
    assert len(lines) == 4
    assert all(line.startswith(b"'set-buffer' '-a' '-b' 'b' '--' 'x") for line in lines)


def test_sessions_are_ours_by_option_and_their_names_may_be_anything():
    lines = [b"$1 2 1 one t  na me", b"$2 1 0  t x", b"$3 1 0 one  hub", b"$4 1 0 two t x", b"", b"\xff"]
    found = parse_sessions(lines, "one")
    assert list(found) == ["$1"]
    assert (found["$1"].team, found["$1"].name, found["$1"].windows, found["$1"].attached) == ("t", " na me", 2, 1)


def test_session_names_avoid_what_tmux_would_change():
    assert [session_name("a.b:c", attempt) for attempt in (0, 1, 2)] == ["a_b_c", "a_b_c-2", "a_b_c-3"]


def test_placeholders_and_links_are_read():
    assert parse_placeholders([b"$1 @1 1", b"$1 @2 ", b"$2 @3 1"]) == {"$1": "@1", "$2": "@3"}
    assert parse_links([b"%1 $0", b"%1 $1", b"%2 $1", b"?"]) == {"%1": {"$0", "$1"}, "%2": {"$1"}}


@pytest.mark.parametrize(
    ("text", "yes"), [("%1", True), ("%12", True), ("%", False), ("1", False), ("%1 ", False), ("%1\n", False)]
)
def test_pane_ids_are_told_from_names(text: str, yes: bool):
    assert is_pane_id(text) is yes


def test_only_clients_that_attached_as_we_do_are_taken_for_ours():
    listed = [
        b"11 1 attached,control-mode,ignore-size,pause-after=5",
        b"12 0 attached,ignore-size",
        b"13 1 attached",
        b"x",
    ]
    assert parse_control_clients(listed) == (11,)
