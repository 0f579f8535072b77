"""Shell completion, asked the way the scripts ask, and the bash script in a real bash."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import Home
from tests.support.programs import PROGRAM
from tests.unit.cli import _samples as samples
from tests.unit.cli._peer import Peer
from tmuxorc.paths import find_paths
from tmuxorc.wire import methods as m


@pytest.fixture
def ask(cmd: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What completes the last of the words given."""

    def ask(*words: str) -> list[str]:
        monkeypatch.setenv("_TMUX_ORC_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(["tmux-orc", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        shown = cmd("")
        assert shown.err == ""
        return [line.partition(",")[2] for line in shown.out.splitlines() if line]

    return ask


@pytest.fixture
def team(peer: Peer) -> Peer:
    """Three agents in two teams; one name is there twice."""
    agents = (samples.agent("alice"), samples.agent("bob"), samples.agent("bob", team="review"))
    peer.answers(m.AGENT_LIST, m.AgentList(agents=agents))
    peer.answers(m.TEAM_LIST, m.TeamList(teams=(samples.team("main"), samples.team("review"))))
    peer.answers(m.MESSAGE_LIST, m.MessageList(messages=(samples.message("m-7"), samples.message("m-8"))))
    return peer


def test_commands(ask: Any) -> None:
    assert ask("s") == ["spawn", "status", "send", "screen", "session"]
    assert ask("agent", "re") == ["restart", "remove"]


def test_options_and_their_values(ask: Any) -> None:
    assert "--restart" in ask("spawn", "--re")
    assert ask("spawn", "a", "--restart", "t") == ["transient", "temporary"]
    assert ask("list", "--state", "b") == ["busy", "blocked"]
    assert ask("completion", "") == ["bash", "zsh", "fish"]


def test_live_names(ask: Any, team: Peer) -> None:
    """A bare name where it is enough, addresses always."""
    assert ask("agent", "info", "") == ["alice", "main/alice", "main/bob", "review/bob"]
    assert ask("send", "r") == ["review/bob", "review/*"]
    assert ask("team", "status", "r") == ["review"]
    assert ask("message", "show", "m-") == ["m-7", "m-8"]
    assert ask("spawn", "x", "--team", "m") == ["main"]


def test_kinds_and_files(ask: Any, home: Home) -> None:
    """Kinds are ours and the person's own; files are the shell's to complete."""
    own = Path(find_paths().kinds_dir)
    own.mkdir(parents=True)
    (own / "owl.toml").touch()
    assert {"command", "demo", "owl", "shell"} <= set(ask("spawn", "a", "--kind", ""))
    assert ask("team", "apply", "rev") == ["rev"]
    assert ask("spawn", "a", "--cwd", "/tm") == ["/tm"]


def test_names_of_the_instance_meant(ask: Any, home: Home) -> None:
    with Peer("other") as other:
        other.answers(m.AGENT_LIST, m.AgentList(agents=(samples.agent("zoe"),)))
        assert ask("-L", "other", "screen", "z") == ["zoe"]


def test_without_a_supervisor_nothing_is_said_and_none_is_started(ask: Any, home: Home) -> None:
    assert ask("agent", "info", "a") == []
    assert ask("team", "status", "") == []
    assert ask("message", "show", "") == []
    assert not list(home.runtime.iterdir())


@pytest.mark.parametrize("words", [("nosuch", "x"), ("-L", "a/b", "screen", ""), ("spawn", "'"), ("list", "x")])
def test_nonsense_is_answered_by_silence(ask: Any, words: tuple[str, ...]) -> None:
    assert ask(*words) == []


def test_a_defect_is_answered_by_silence(cmd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script's own variables are missing."""
    monkeypatch.setenv("_TMUX_ORC_COMPLETE", "bash_complete")
    shown = cmd("")
    assert (shown.status, shown.out, shown.err) == (1, "", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(cmd: Any, shell: str) -> None:
    script = cmd(f"completion {shell}").out
    assert f"_TMUX_ORC_COMPLETE={shell}_complete" in script
    assert cmd(f"completion {shell} --json").json == {"shell": shell, "script": script}


def test_the_scripts_are_amended(cmd: Any) -> None:
    """asyncclick may change its scripts; this says so."""
    from tmuxorc.cli.completion import AMENDED

    for shell, (_, ours) in AMENDED.items():
        assert ours in cmd(f"completion {shell}").out


def test_a_bash_that_stands_among_files(cmd: Any, team: Peer, tmp_path: Path) -> None:
    """The target of everyone is no pattern for the files there are."""
    (tmp_path / "review.toml").touch()
    ask = (
        f"{cmd('completion bash').out}\ncd {tmp_path}\nCOMP_WORDS=(tmux-orc send '')\nCOMP_CWORD=2\n"
        f'_tmux_orc_completion "{PROGRAM}"\nprintf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "--norc", "-c", ask], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.split()[-3:] == ["main/\\*", "review/\\*", "\\*"]


def test_in_a_real_bash(cmd: Any, team: Peer) -> None:
    """Sourced, it completes ``tmux-orc agent info al``."""
    script = cmd("completion bash").out
    ask = (
        f"{script}\nCOMP_WORDS=(tmux-orc agent info al)\nCOMP_CWORD=3\n"
        f'_tmux_orc_completion "{PROGRAM}"\nprintf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "--norc", "-c", ask], capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout.split(), done.stderr) == (["alice"], "")
