"""Conditions in tmux's format language, as text; that tmux reads them so is in tests/tmux."""

from tmuxorc.tmux import ALIVE, equals, escape, every, literal, negate, option_is, screen_matches, some


def test_hash_signs_are_doubled_except_before_a_style():
    assert escape("a#b##c#[x]##[y]#") == "a##b####c#[x]##[y]##"


def test_an_operand_cannot_end_early():
    assert literal("a,b}c#") == "a#,b#}c##"


def test_conditions_nest_two_by_two():
    """Older versions take no more than two operands."""
    assert every(["1", ALIVE, "0"]) == "#{&&:#{&&:1,#{?#{pane_dead},0,1}},0}"
    assert some(["a", "b"]) == "#{||:a,b}"


def test_nothing_to_check_is_true_and_no_alternative_false():
    assert (every([]), some([])) == ("1", "0")


def test_negation_uses_what_every_version_knows():
    assert negate("#{x}") == "#{?#{x},0,1}"


def test_helpers_escape_their_text():
    assert equals("#{pane_title}", "a,b") == "#{==:#{pane_title},a#,b}"
    assert screen_matches("^x{2,3}$") == "#{C/r:^x{2#,3#}$}"
    assert option_is("delivery", "m-1:pasted") == "#{==:#{@tmuxorc_delivery},m-1:pasted}"
