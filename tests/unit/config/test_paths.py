import os
import socket
import stat
from pathlib import Path

import pytest

from tests.support import Home
from tmuxorc.errors import ConfigError
from tmuxorc.names import BadNameError
from tmuxorc.paths import (
    MAX_SOCKET_PATH,
    check_private,
    find_paths,
    instance_name,
    make_tmux_socket_dir,
    tmux_socket,
)


@pytest.fixture
def anyone(home: Home) -> dict[str, str]:
    """An environment with a home directory and nothing else."""
    return {"HOME": str(home.root / "home")}


def test_the_instance_is_the_option_else_the_variable_else_default():
    variable = {"TMUX_ORC_INSTANCE": "work"}
    assert instance_name("mine", variable) == "mine"
    assert instance_name(None, variable) == "work"
    assert instance_name(None, {"TMUX_ORC_INSTANCE": ""}) == "default"
    assert instance_name(None, {}) == "default"


@pytest.mark.parametrize("name", ["", "../up", "a/b", "-x", "x" * 65])
def test_a_bad_instance_name_is_refused_wherever_it_comes_from(name: str):
    with pytest.raises(BadNameError):
        instance_name(name, {})
    with pytest.raises(BadNameError):
        find_paths(name)


def test_xdg_variables_are_followed(home: Home):
    paths = find_paths("work")
    assert paths.state_dir == f"{home.state}/tmux-orc/work"
    assert paths.runtime_dir == f"{home.runtime}/tmux-orc/work"
    assert paths.config_file == f"{home.config}/tmux-orc/config.toml"
    assert paths.kinds_dir == f"{home.config}/tmux-orc/kinds"
    assert os.path.dirname(paths.socket) == os.path.dirname(paths.start_lock) == paths.runtime_dir
    assert {os.path.dirname(path) for path in (paths.journal, paths.log, paths.lock)} == {paths.state_dir}


def test_without_variables_the_platforms_own_places_are_used(anyone: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setattr("sys.platform", "linux")
        paths = find_paths("work", anyone)
    assert paths.state_dir == f"{anyone['HOME']}/.local/state/tmux-orc/work"
    assert paths.config_file == f"{anyone['HOME']}/.config/tmux-orc/config.toml"
    with monkeypatch.context() as patch:
        patch.setattr("sys.platform", "darwin")
        paths = find_paths("work", anyone)
    assert paths.state_dir == f"{anyone['HOME']}/Library/Application Support/tmux-orc/work"
    assert paths.config_file == f"{anyone['HOME']}/Library/Application Support/tmux-orc/config.toml"


def test_a_relative_variable_is_ignored(anyone: dict[str, str]):
    relative = anyone | {"XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "", "XDG_RUNTIME_DIR": "run"}
    assert find_paths("x", relative) == find_paths("x", anyone)


def test_a_runtime_directory_of_another_user_is_ignored(anyone: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    """Su leaves the variable of the user before in place."""
    expected = find_paths("x", anyone).runtime_dir
    theirs = anyone | {"XDG_RUNTIME_DIR": str(Path(anyone["HOME"]))}
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 4321)
    assert find_paths("x", theirs).runtime_dir == expected.replace(f"-{uid}/", f"-{uid + 4321}/")


def test_the_choice_of_the_runtime_directory_does_not_change_by_creating_it(home: Home):
    environ = {"HOME": str(home.root), "XDG_RUNTIME_DIR": str(home.root / "later")}
    before = find_paths("x", environ)
    before.make_runtime_dir()
    assert find_paths("x", environ) == before
    assert before.runtime_dir.startswith(str(home.root / "later"))


def test_without_home_the_password_file_knows(home: Home):
    assert find_paths("x", {}).state_dir == find_paths("x", {"HOME": os.path.expanduser("~")}).state_dir


def test_no_home_at_all_is_one_clear_error():
    with pytest.raises(ConfigError, match="no home directory") as caught:
        find_paths("x", {"HOME": "relative"})
    assert caught.value.hint == "set HOME"


@pytest.mark.parametrize("variable", ["XDG_STATE_HOME", "XDG_RUNTIME_DIR"])
def test_a_directory_that_is_not_utf8_is_one_clear_error(home: Home, variable: str):
    """Answers name these paths, and no answer can hold them."""
    bad = os.fsencode(home.root) + b"/\xff"
    os.mkdir(bad)
    with pytest.raises(ConfigError, match=r"\\udcff.* is not UTF-8") as caught:
        find_paths("x", {"HOME": str(home.root), variable: os.fsdecode(bad)})
    assert variable in caught.value.hint
    caught.value.message.encode()
    os.rmdir(bad)


def test_a_tmux_directory_that_is_not_utf8_is_one_clear_error(home: Home):
    """The status names its socket."""
    bad = os.fsencode(home.root) + b"/\xff"
    os.mkdir(bad)
    with pytest.raises(ConfigError, match=r"\\udcff.* is not UTF-8") as caught:
        tmux_socket("x", "private", {"TMUX_TMPDIR": os.fsdecode(bad)})
    assert "TMUX_TMPDIR" in caught.value.hint
    os.rmdir(bad)


def test_directories_are_made_private_whatever_the_umask():
    before = os.umask(0)
    try:
        paths = find_paths("work")
        made = (paths.make_state_dir(), paths.make_runtime_dir())
    finally:
        os.umask(before)
    assert made == (paths.state_dir, paths.runtime_dir)
    for directory in (*made, os.path.dirname(paths.runtime_dir), os.path.dirname(paths.state_dir)):
        assert stat.S_IMODE(os.stat(directory).st_mode) == 0o700
    assert paths.make_runtime_dir() == paths.runtime_dir


@pytest.mark.parametrize("level", ["", "/.."])
def test_a_runtime_directory_open_to_others_is_refused(level: str):
    paths = find_paths("work")
    paths.make_runtime_dir()
    directory = os.path.normpath(paths.runtime_dir + level)
    os.chmod(directory, 0o755)
    with pytest.raises(ConfigError, match="open to other users") as caught:
        paths.make_runtime_dir()
    assert caught.value.hint == f"chmod 700 {directory}"


def test_a_runtime_directory_of_another_owner_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "getuid", lambda: 4321)
    with pytest.raises(ConfigError, match=r"belongs to user \d+, not to you \(4321\)"):
        check_private(str(home.runtime))


def test_a_link_in_place_of_the_runtime_directory_is_refused(home: Home):
    (home.root / "link").symlink_to(home.runtime)
    with pytest.raises(ConfigError, match="is not a directory"):
        check_private(str(home.root / "link"))


def test_a_file_in_the_way_is_one_clear_error(home: Home):
    (home.state / "tmux-orc").write_text("")
    paths = find_paths("work")
    with pytest.raises(ConfigError, match=f"cannot create the directory {paths.state_dir}") as caught:
        paths.make_state_dir()
    assert "yours to write" in caught.value.hint


def test_a_socket_path_can_be_as_long_as_the_system_allows_and_no_longer(home: Home):
    """The limit is the kernel's own: a socket can be bound at it."""
    room = MAX_SOCKET_PATH - len(str(home.root)) - len("//tmux-orc/x/socket")
    fitting = {"HOME": str(home.root), "XDG_RUNTIME_DIR": f"{home.root}/{'d' * room}"}
    paths = find_paths("x", fitting)
    assert len(paths.socket) == MAX_SOCKET_PATH
    paths.make_runtime_dir()
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(paths.socket)
    with pytest.raises(ConfigError, match="the socket path is too long") as caught:
        find_paths("xx", fitting)
    assert "XDG_RUNTIME_DIR" in caught.value.hint


def test_tmux_sockets_lie_where_tmux_looks_for_them(home: Home):
    directory = f"{os.path.realpath(home.tmux)}/tmux-{os.getuid()}"
    assert tmux_socket("default") == f"{directory}/tmuxorc"
    assert tmux_socket("work") == f"{directory}/tmuxorc-work"
    assert tmux_socket("work", "default") == f"{directory}/default"
    assert tmux_socket("work", "mine") == f"{directory}/mine"


def test_the_directory_of_tmux_sockets_is_made_private():
    directory = os.path.dirname(tmux_socket("default"))
    assert make_tmux_socket_dir(tmux_socket("default")) == directory
    assert stat.S_IMODE(os.stat(directory).st_mode) == 0o700


def test_a_directory_of_tmux_sockets_may_be_shared_with_a_group_but_not_with_everyone():
    directory = make_tmux_socket_dir(tmux_socket("default"))
    os.chmod(directory, 0o770)
    assert make_tmux_socket_dir(tmux_socket("default")) == directory
    os.chmod(directory, 0o701)
    with pytest.raises(ConfigError, match="open to other users"):
        make_tmux_socket_dir(tmux_socket("default"))


@pytest.mark.parametrize("environ", [{}, {"TMUX_TMPDIR": ""}, {"TMUX_TMPDIR": "/nowhere/at/all"}])
def test_tmux_falls_back_to_tmp(environ: dict[str, str]):
    assert tmux_socket("default", environ=environ) == f"{os.path.realpath('/tmp')}/tmux-{os.getuid()}/tmuxorc"


def test_a_tmux_socket_path_too_long_is_refused():
    with pytest.raises(ConfigError, match="too long") as caught:
        tmux_socket("default", "n" * 120)
    assert "TMUX_TMPDIR" in caught.value.hint
