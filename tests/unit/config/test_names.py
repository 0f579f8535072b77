import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.errors import ExitStatus
from tmuxorc.names import MAX_NAME, Address, BadNameError, check_name, nearest, parse_address

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True)


@given(NAMES)
def test_a_name_of_the_rule_is_taken_as_it_is(name: str):
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "it is empty"),
        ("a/b", "it contains '/'"),
        ("two words", "it contains ' '"),
        ("tab\there", r"it contains '\t'"),
        ("line\n", r"it contains '\n'"),
        ("nul\0", r"it contains '\x00'"),
        ("-rf", "it starts with '-'"),
        (".hidden", "it starts with '.'"),
        ("_x", "it starts with '_'"),
        ("*", "it starts with '*'"),
        ("é", r"it starts with '\xe9'"),
        ("a🙂", r"it contains '\U0001f642'"),
        ("a\ud800", r"it contains '\ud800'"),
        ("٣", r"it starts with '\u0663'"),
        ("x" * 300, "it has 300 characters"),
        ("x" * (MAX_NAME + 1), "it has 65 characters"),
    ],
)
def test_a_bad_name_is_refused_saying_what_is_wrong_and_what_the_rule_is(name: str, why: str):
    with pytest.raises(BadNameError) as caught:
        check_name(name, "team")
    error = caught.value
    assert why in error.message
    assert error.message.startswith("bad team name ")
    assert "1 to 64 characters" in error.hint
    assert (error.code, error.exit_status) == ("bad_name", ExitStatus.USAGE)
    assert len(error.message) < 150


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_no_name_at_all_breaks_the_check_or_its_error(name: str):
    """The error can be encoded and shown whatever the name was."""
    try:
        check_name(name)
    except BadNameError as error:
        error.message.encode()
        str(error.details).encode()
    else:
        assert set(name) <= set(LETTERS + "_.-")


@given(NAMES, NAMES)
def test_an_address_reads_as_it_is_written(team: str, name: str):
    for text in (name, f"{team}/{name}", f"{team}/*", "*"):
        assert str(parse_address(text)) == text


def test_an_address_means_one_agent_a_team_or_everyone():
    assert parse_address("main/alice") == Address(team="main", name="alice")
    assert parse_address("alice") == Address(name="alice")
    assert parse_address("main/*") == Address(team="main")
    assert parse_address("*") == Address()
    assert [parse_address(text).many for text in ("alice", "main/alice", "main/*", "*")] == [False, False, True, True]


@pytest.mark.parametrize("text", ["", "/", "a/", "/a", "a/b/c", "*/a", "*/*", "a/**", "a b", "main/-x"])
def test_a_malformed_address_is_refused(text: str):
    with pytest.raises(BadNameError):
        parse_address(text)


def test_the_nearest_choice_is_offered_and_nothing_far_off():
    assert nearest("comand", ["command", "shell"]) == "command"
    assert nearest("xyzzy", ["command", "shell"]) is None
