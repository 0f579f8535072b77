"""Words that ask for what cannot be: one error with a code, an exit status and a hint, and nothing has changed."""

import pytest

from tests.support import Cli, Home
from tests.tmux.supervisor._orc import SLEEP, Orc, alive
from tmuxorc.errors import RemoteError
from tmuxorc.model import TeamSpec
from tmuxorc.wire import methods as m

LONG = "a" * 300
RUN = ["--", *SLEEP]

WORDS: list[tuple[list[str], int, str]] = [
    (["agent", "info", "nobody"], 3, "not_found"),
    (["agent", "info", "main/alic"], 3, "not_found"),
    (["agent", "info", "a/b/c"], 3, "not_found"),
    (["agent", "info", ""], 3, "not_found"),
    (["send", "nobody", "hi"], 3, "not_found"),
    (["send", "nobody/*", "hi"], 3, "not_found"),
    (["agent", "stop", "nobody"], 3, "not_found"),
    (["team", "status", "mian"], 3, "not_found"),
    (["list", "--team", "mian"], 3, "not_found"),
    (["spawn", "bob", "--team", "nobody", *RUN], 3, "not_found"),
    (["spawn", "bob", "--kind", "clod"], 3, "unknown_kind"),
    (["message", "show", "m-99"], 3, "not_found"),
    (["message", "redeliver", "m-99"], 3, "not_found"),
    (["agent", "adopt", "%99", "--name", "bob"], 3, "not_found"),
    (["list", "--state", "bsuy"], 2, "usage"),
    (["wait", "alice", "--state", "bsuy"], 2, "usage"),
    (["agent", "keys", "alice", "Entr"], 2, "unknown_key"),
    (["screen", "alice", "--history", "-1"], 2, "usage"),
    (["spawn", "alice", *RUN], 4, "name_taken"),
    (["team", "create", "main"], 4, "name_taken"),
    (["agent", "adopt", "PANE", "--name", "bob"], 4, "conflict"),
    (["spawn", "bob", "--", "no-such-program"], 3, "program_not_found"),
    (["spawn", "bob", "--", "./no-such-program"], 3, "program_not_found"),
    (["spawn", "bob", "--", "/etc/passwd"], 3, "program_not_found"),
    (["spawn", "bob", "--cwd", "/no/such/place", *RUN], 2, "bad_cwd"),
    (["spawn", "bob", "--cwd", "/etc/passwd", *RUN], 2, "bad_cwd"),
    (["spawn", "bob", "--grace", "2h", *RUN], 2, "usage"),
    (["send", "alice", ""], 5, "message_empty"),
    (["send", "alice", "a\x1b[2Jb"], 5, "message_control"),
    (["send", "alice", "a\rb"], 5, "message_control"),
    (["send", "alice", "a\udcffb"], 2, "not_unicode"),
]

NAMES = ["a/b", "a b", "a\tb", "a\nb", "a\x1bb", "a\x7fb", LONG, "😀", "ä", "", ".", "..", "*"]


def test_every_wrong_word_is_one_clear_error(cli: Cli, orc: Orc, subtests: pytest.Subtests) -> None:
    alice = orc.spawn("alice", *SLEEP)
    for words, status, code in WORDS:
        with subtests.test(words=words):
            failed = cli("--json", *(str(alice.pane) if word == "PANE" else word for word in words))
            assert (failed.status, failed.error["code"]) == (status, code), failed.stderr
            assert failed.error["hint"]
            assert "\n" not in failed.error["message"]
            assert failed.stdout == ""
    now = orc.agents()
    assert list(now) == ["main/alice"]
    assert now["main/alice"].pid == alice.pid
    assert alive(alice.pid)


def test_no_bad_name_is_taken_anywhere(orc: Orc, subtests: pytest.Subtests) -> None:
    """The supervisor does not trust its clients to have looked."""
    pane = str(orc.spawn("alice", *SLEEP).pane)
    for name in NAMES:
        for request in (
            lambda name=name: orc.spawn(name, *SLEEP),
            lambda name=name: orc.spawn("bob", *SLEEP, team=name),
            lambda name=name: orc.create_team(name),
            lambda name=name: orc.apply(TeamSpec(name=name)),
            lambda name=name: orc.apply(TeamSpec(name="crew"), orc.spec(name, *SLEEP, team="crew")),
            lambda name=name: orc.call(m.AGENT_ADOPT, m.Adopt(pane=pane, name=name)),
        ):
            with subtests.test(name=name), pytest.raises(RemoteError) as refused:
                request()
            assert refused.value.code == "bad_name"
            assert "1 to 64 characters" in refused.value.hint
    assert list(orc.agents()) == ["main/alice"]


def test_people_get_two_lines(cli: Cli, orc: Orc, home: Home) -> None:
    failed = cli("spawn", "bob", "--", "no-such-program", env={"PATH": f"{home.programs}:/usr/bin"})
    error, hint = failed.stderr.splitlines()
    assert error == "error: there is no program 'no-such-program' in PATH"
    assert hint == f"hint: searched: {home.programs}:/usr/bin"
