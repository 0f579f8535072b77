"""How an agent is started so that it can be spoken to: placeholders, private files, what the next one finds there."""

import json
import os
import shlex
import stat
from pathlib import Path

import msgspec
import pytest

from tests.support import Home
from tmuxorc.actors._place import fill, folder_of, forget_place, prepare, recall, remember, take_spool
from tmuxorc.agents import load_kinds
from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.schema import Launch, LaunchFile
from tmuxorc.errors import ConfigError
from tmuxorc.model import AgentSpec
from tmuxorc.paths import Paths, find_paths

SPEC = AgentSpec(name="alice", kind="spoken", command=("tool", "--model", "x"))


@pytest.fixture
def paths(home: Home) -> Paths:
    found = find_paths("test")
    found.make_runtime_dir()
    return found


def kind(**launch: object) -> Kind:
    """A kind that is started as told."""
    return msgspec.structs.replace(load_kinds()["command"], name="spoken", launch=Launch(**launch))  # type: ignore[arg-type]


def test_a_kind_of_which_nothing_is_said_is_started_as_it_stands(paths: Paths) -> None:
    """No folder is made for it either."""
    ready = prepare(paths, SPEC, load_kinds()["command"], "/bin/tool", "")
    assert (ready.argv, ready.env, ready.place) == (("/bin/tool", "--model", "x"), {}, None)
    assert not os.path.exists(folder_of(paths, SPEC.address))


def test_its_own_words_come_before_those_of_the_person(paths: Paths) -> None:
    spoken = kind(args=("--in", "{run}/in"), env={"SECRET": "{password}", "PORT": "{port}"})
    ready = prepare(paths, SPEC, spoken, "/bin/tool", "")
    place = ready.place
    assert place is not None
    assert ready.argv == ("/bin/tool", "--in", f"{place.folder}/in", "--model", "x")
    assert ready.env == {"SECRET": place.password, "PORT": str(place.port), "TMUX_ORC_RUN": place.folder}
    assert len(place.password) > 20
    assert 0 < place.port < 65536


def test_a_known_session_is_gone_on_with(paths: Paths) -> None:
    spoken = kind(args=("--new",), resume=("resume", "{session}"))
    assert prepare(paths, SPEC, spoken, "/bin/tool", "s-1").argv == ("/bin/tool", "resume", "s-1", "--model", "x")
    assert prepare(paths, SPEC, spoken, "/bin/tool", "").argv == ("/bin/tool", "--new", "--model", "x")


def test_a_kind_that_cannot_go_on_is_started_anew(paths: Paths) -> None:
    assert prepare(paths, SPEC, kind(args=("--new",)), "/bin/tool", "s-1").argv[1] == "--new"


def test_files_are_private_and_hold_the_hook_as_json_needs_it(paths: Paths) -> None:
    spoken = kind(files=(LaunchFile(path="settings.json", content='{"command": "{hook} Stop"}'),))
    place = prepare(paths, SPEC, spoken, "/bin/tool", "").place
    assert place is not None
    file = Path(place.folder, "settings.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(os.stat(place.folder).st_mode) == 0o700
    command = shlex.split(json.loads(file.read_text())["command"])
    assert command[1:3] == ["-I", "-S"]
    assert command[-1] == "Stop"
    assert os.path.exists(command[3])


def test_the_next_supervisor_finds_the_place(paths: Paths) -> None:
    place = prepare(paths, SPEC, kind(args=("--port", "{port}")), "/bin/tool", "").place
    assert place is not None
    assert recall(paths, SPEC.address) == place
    remember(msgspec.structs.replace(place, session="s-2"))
    found = recall(paths, SPEC.address)
    assert found is not None
    assert found.session == "s-2"
    forget_place(paths, SPEC.address)
    assert recall(paths, SPEC.address) is None


def test_a_place_that_cannot_be_read_is_none(paths: Paths) -> None:
    place = prepare(paths, SPEC, kind(args=("x",)), "/bin/tool", "").place
    assert place is not None
    Path(place.folder, "place.json").write_text("{")
    assert recall(paths, SPEC.address) is None


def test_a_new_start_leaves_nothing_of_the_last(paths: Paths) -> None:
    place = prepare(paths, SPEC, kind(args=("x",)), "/bin/tool", "").place
    assert place is not None
    Path(place.folder, "out.jsonl").write_text("old")
    prepare(paths, SPEC, kind(args=("x",)), "/bin/tool", "")
    assert sorted(os.listdir(place.folder)) == ["place.json"]


def test_a_folder_that_cannot_be_written_is_said(paths: Paths) -> None:
    Path(paths.runtime_dir, "a").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot write"):
        prepare(paths, SPEC, kind(args=("x",)), "/bin/tool", "")


def test_what_is_put_in_is_not_looked_at_again() -> None:
    assert fill("{a}{b}{a}", {"{a}": "{b}", "{b}": "x"}) == "{b}x{b}"


def test_the_spool_is_read_once_and_only_what_is_whole(tmp_path: Path) -> None:
    lines = ['{"event":"Stop","payload":"{}"}', "garbage", '{"event":"x"}', '{"event":"SessionEnd","payload":"a"}', "{"]
    (tmp_path / "hooks.jsonl").write_text("\n".join(lines))
    assert take_spool(str(tmp_path)) == [("Stop", b"{}"), ("SessionEnd", b"a")]
    assert take_spool(str(tmp_path)) == []


def test_folders_are_short_and_one_for_each_agent(paths: Paths) -> None:
    one, other = folder_of(paths, "main/alice"), folder_of(paths, "main/bob")
    assert one != other
    assert len(one) - len(paths.runtime_dir) == len("/a/") + 10


def test_what_a_program_would_refuse_is_not_written(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some read a file only where nobody but root can write; the words are given all the same."""
    files = (LaunchFile(path="x.json", content="{}"),)
    spoken = kind(root_only=True, args=("--id", "{new}"), env={"X": "{run}/x.json"}, files=files)
    ready = prepare(paths, SPEC, spoken, "/bin/tool", "")
    assert ready.argv[1] == "--id"
    assert ready.env.keys() == {"TMUX_ORC_RUN"}  # a temporary directory is everybody's
    monkeypatch.setattr("tmuxorc.actors._place._only_root_writes", lambda _: True)
    ready = prepare(paths, SPEC, spoken, "/bin/tool", "")
    assert Path(ready.env["X"]).read_text() == "{}"


def test_a_new_session_has_the_name_it_was_given(paths: Paths) -> None:
    """It is written down, so that the agent can go on with it though no channel tells."""
    spoken = kind(args=("--session-id", "{new}"), resume=("--resume", "{session}"))
    new = prepare(paths, SPEC, spoken, "/bin/tool", "")
    assert new.place is not None
    assert new.argv[2] == new.place.given != ""
    again = prepare(paths, SPEC, spoken, "/bin/tool", new.place.given).place
    assert again is not None
    assert (again.session, again.given) == (new.place.given, "")
