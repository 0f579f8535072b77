"""The documentation check sees commands and options that do not exist, and passes those that do."""

import pytest

from tools.check_docs import misuse, shown_commands, words_of

COMMANDS = {("send",): {"--wait", "-w"}, ("agent", "stop"): {"--grace"}, ("agent", "start"): set[str]()}


@pytest.mark.parametrize(
    "line",
    [
        "tmux-orc",
        "tmux-orc --help",
        "tmux-orc COMMAND",
        "tmux-orc agent",
        "tmux-orc -L work send alice 'a -x b' --wait=submitted --json",
        "tmux-orc send alice - -w submitted | grep -v x",
        "tmux-orc agent stop alice --grace 5s      # then --kill",
        "tmux-orc send alice -- --not-an-option",
        'tmux-orc send completion)"',
    ],
)
def test_what_exists_passes(line: str) -> None:
    assert misuse(words_of(line), COMMANDS) == ""


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("tmux-orc sned alice hello", "no command 'sned alice'"),
        ("tmux-orc agent pause alice", "no command 'agent pause'"),
        ("tmux-orc send alice --wiat submitted", "no option --wiat"),
        ("tmux-orc agent start alice --grace 5", "no option --grace"),
    ],
)
def test_what_does_not_exist_is_named(line: str, problem: str) -> None:
    assert misuse(words_of(line), COMMANDS) == problem


def test_commands_are_found_in_shell_blocks_and_in_running_text() -> None:
    page = "Try `tmux-orc list`.\n\n```sh\ngit diff | tmux-orc send a -\ntmux-orc\n```\n\n```toml\ntmux-orc = 1\n```\n"
    assert list(shown_commands(page)) == ["tmux-orc send a -", "tmux-orc", "tmux-orc list"]
