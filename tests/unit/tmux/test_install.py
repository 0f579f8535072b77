"""Finding tmux: missing, too old, hanging, strange, and which version it is."""

from pathlib import Path

import pytest

from tmuxorc.tmux import TmuxMissing, TmuxTimeout, TmuxTooOld, Version, find_tmux, parse_version


def program(directory: Path, script: str) -> str:
    file = directory / "tmux"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(directory)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("tmux 3.3a", Version(major=3, minor=3, letter="a")),
        ("tmux 3.2\n", Version(major=3, minor=2)),
        ("tmux next-3.8", Version(major=3, minor=8)),
        ("3.10-rc2", Version(major=3, minor=10)),
        ("tmux master", Version(major=99, minor=0)),
        ("tmux openbsd-7.6", Version(major=99, minor=0)),
        ("something else", None),
        ("", None),
    ],
)
def test_versions_are_read(said: str, version: Version | None):
    assert parse_version(said) == version


def test_versions_have_an_order():
    said = ["3.2", "3.2a", "3.3", "3.3a", "3.8", "3.10", "master"]
    versions = [parse_version(each) for each in said]
    assert versions == sorted(versions, key=lambda version: (version.major, version.minor, version.letter))
    assert versions[3] > versions[2]
    assert [str(each) for each in versions[:2]] == ["3.2", "3.2a"]


def test_a_usable_program_is_found_with_its_version(tmp_path: Path):
    found = find_tmux(path=program(tmp_path, "echo tmux 3.4"))
    assert found.path == str(tmp_path / "tmux")
    assert found.version == Version(major=3, minor=4)


def test_a_missing_program_says_where_it_was_looked_for_and_how_to_get_it(tmp_path: Path):
    with pytest.raises(TmuxMissing) as caught:
        find_tmux(path=str(tmp_path))
    assert caught.value.code == "tmux_missing"
    assert str(tmp_path) in caught.value.message
    for way in ("apt install", "dnf install", "pacman -S", "brew install"):
        assert way in caught.value.hint


@pytest.mark.parametrize("said", ["tmux 3.1c", "tmux 2.9", "tmux banana", ""])
def test_an_old_or_strange_program_is_refused(tmp_path: Path, said: str):
    with pytest.raises(TmuxTooOld) as caught:
        find_tmux(path=program(tmp_path, f"echo {said}"))
    assert caught.value.code == "tmux_too_old"


def test_a_hanging_program_is_given_up(tmp_path: Path):
    with pytest.raises(TmuxTimeout) as caught:
        find_tmux(path=program(tmp_path, "exec sleep 60"), timeout_s=0.2)
    assert caught.value.code == "tmux_timeout"


def test_a_program_that_is_none_is_missing(tmp_path: Path):
    file = tmp_path / "tmux"
    file.write_bytes(b"\x7fELF nothing of the kind")
    file.chmod(0o755)
    with pytest.raises(TmuxMissing):
        find_tmux(path=str(tmp_path))
