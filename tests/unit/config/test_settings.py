import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.support import Home
from tmuxorc.config import LogLevel, Settings, Synchronous, describe, load_settings, reference
from tmuxorc.errors import ConfigError, ExitStatus

REFERENCE = Path(__file__).parents[3] / "docs/reference/config.md"


@pytest.fixture
def file(home: Home) -> Path:
    return home.root / "config.toml"


def refused(file: Path, text: str | bytes) -> ConfigError:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load_settings(str(file))
    error = caught.value
    assert str(file) in error.message
    assert error.details["file"] == str(file)
    assert error.exit_status is ExitStatus.USAGE
    return error


def test_a_missing_file_means_all_defaults(file: Path):
    assert load_settings(str(file)) == Settings()


def test_a_missing_file_costs_no_parser(file: Path):
    code = (
        "import sys; from tmuxorc.config import load_settings;"
        " sys.modules.pop('tomllib', None); load_settings(sys.argv[1]); print('tomllib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_an_empty_file_means_all_defaults(file: Path):
    file.write_text("")
    assert load_settings(str(file)) == Settings()


def test_what_the_file_says_is_read_and_the_rest_is_default(file: Path):
    file.write_text(
        '[tmux]\nsize = [120, 40]\n[journal]\nsynchronous = "normal"\n[log]\nlevel = "debug"\n[daemon]\ndrain_s = 2\n'
    )
    settings = load_settings(str(file))
    assert settings.tmux.size == (120, 40)
    assert settings.journal.synchronous is Synchronous.NORMAL
    assert settings.log.level is LogLevel.DEBUG
    assert settings.daemon.drain_s == 2.0
    assert settings.delivery == Settings().delivery


def test_every_key_can_be_written_with_the_value_it_shows(file: Path):
    """`config show` of the defaults is a file that means the defaults."""
    tables: dict[str, list[str]] = {}
    for info in describe():
        section, _, key = info.key.partition(".")
        tables.setdefault(section, []).append(f"{key} = {msgspec.json.encode(info.value).decode()}")
    file.write_text("\n".join(line for name, lines in tables.items() for line in (f"[{name}]", *lines)))
    assert load_settings(str(file)) == Settings()


@pytest.mark.parametrize(
    ("text", "key", "near"),
    [
        ("[tmux]\nhistroy_limit = 3", "tmux.histroy_limit", "tmux.history_limit"),
        ("[tmx]\nsocket = 'x'", "tmx", "tmux"),
        ("history_limit = 3", "history_limit", "tmux.history_limit"),
        ("[daemon]\nttl_s = 3", "daemon.ttl_s", "delivery.ttl_s"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(file: Path, text: str, key: str, near: str | None):
    error = refused(file, text)
    assert f"unknown key '{key}'" in error.message
    assert error.details["nearest"] == near
    assert near is None or f"did you mean '{near}'?" in error.hint


def test_an_unknown_key_like_no_other_gets_the_known_ones_listed(file: Path):
    assert refused(file, "[daemon]\nxyzzy = 1").hint == "known here: drain_s"


@pytest.mark.parametrize(
    ("text", "key", "what", "hint"),
    [
        ("[tmux]\nhistory_limit = 'a'", "tmux.history_limit", "expected an integer, got a string", "from 0 to 1000000"),
        ("[tmux]\nhistory_limit = true", "tmux.history_limit", "got a boolean", "an integer from 0"),
        ("[tmux]\nhistory_limit = -1", "tmux.history_limit", "expected an integer >= 0", "from 0 to 1000000"),
        ("[tmux]\nsize = [100]", "tmux.size", "an array of length 2, got 1", "array"),
        ("[tmux]\nsize = [100, 1]", "tmux.size[1]", "expected an integer >= 5", "from 5 to 1000"),
        ("[tmux]\nsocket = '../x'", "tmux.socket", "expected a string matching", "string"),
        ("[journal]\nsynchronous = 'ful'", "journal.synchronous", "'ful'", '"full" or "normal"'),
        ("[daemon]\ndrain_s = nan", "daemon.drain_s", "expected a number", "from 0 to 600"),
        ("[daemon]\ndrain_s = inf", "daemon.drain_s", "expected a number", "from 0 to 600"),
        ("tmux = 3", "tmux", "expected a table, got an integer", "a table"),
        ("[[tmux]]", "tmux", "expected a table, got an array", "a table"),
    ],
)
def test_a_wrong_value_is_one_error_with_file_key_and_what_is_right(
    file: Path, text: str, key: str, what: str, hint: str
):
    error = refused(file, text)
    assert f"{file}: {key}: " in error.message
    assert what in error.message
    assert hint in error.hint
    assert error.details["key"] == key


@pytest.mark.parametrize("text", ["[tmux", "a = ", "a = 1\na = 2", b"\xff\xfe", b"a = '\0'"])
def test_a_file_that_is_not_toml_is_one_error(file: Path, text: str | bytes):
    assert "is not valid TOML" in refused(file, text).message


def test_a_directory_in_its_place_is_one_error(file: Path):
    file.mkdir()
    with pytest.raises(ConfigError, match=f"cannot read {file}: "):
        load_settings(str(file))


def test_every_key_is_described_with_type_default_value_and_purpose():
    infos = describe(Settings())
    assert len({info.key for info in infos}) == len(infos)
    for info in infos:
        assert info.key.count(".") == 1
        assert info.doc.endswith(".")
        assert info.type
        assert info.value == info.default
    assert next(info for info in infos if info.key == "tmux.size").default == (200, 50)


def test_the_values_described_are_those_in_force(file: Path):
    file.write_text("[agent]\nmailbox = 7\n")
    info = next(info for info in describe(load_settings(str(file))) if info.key == "agent.mailbox")
    assert (info.value, info.default) == (7, 64)


def test_the_reference_page_is_the_one_the_code_makes():
    assert REFERENCE.read_text() == reference(), "run: python -m tmuxorc.config > docs/reference/config.md"


def test_the_module_prints_the_reference():
    done = subprocess.run(
        [sys.executable, "-m", "tmuxorc.config"], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == reference()
