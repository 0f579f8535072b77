from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta

from tests.support import Home
from tmuxorc.errors import ConfigError
from tmuxorc.model import AgentSpec, Frozen, Restart
from tmuxorc.toml import doc_of, in_words, parse_toml, read_toml


class Garden(Frozen, forbid_unknown_fields=True):
    name: str
    agents: tuple[AgentSpec, ...] = ()
    by_name: dict[str, AgentSpec] = {}
    chief: AgentSpec | None = None
    notes: dict[str, str] = {}


def parse(text: str) -> Garden:
    return parse_toml(text.encode(), Garden, "garden.toml")


def refused(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value


def test_tables_arrays_of_tables_and_optional_tables_are_read():
    garden = parse(
        'name = "g"\n[[agents]]\nname = "a"\n[by_name.x]\nname = "b"\n[chief]\nname = "c"\n[notes]\nany = "d"\n'
    )
    assert [agent.name for agent in (*garden.agents, *garden.by_name.values(), garden.chief or AgentSpec(name=""))] == [
        "a",
        "b",
        "c",
    ]
    assert garden.notes == {"any": "d"}


@pytest.mark.parametrize(
    ("text", "key", "near"),
    [
        ("name='g'\n[[agents]]\nname='a'\n[[agents]]\ncomand=['a']", "agents[1].comand", "agents[1].command"),
        ("name='g'\n[by_name.x]\nnme='a'", "by_name.x.nme", "by_name.x.name"),
        ("name='g'\n[chief]\nroll='a'", "chief.roll", "chief.role"),
        ("nmae='g'", "nmae", "name"),
    ],
)
def test_a_typo_is_found_however_deep(text: str, key: str, near: str):
    error = refused(text)
    assert error.message == f"garden.toml: unknown key '{key}'"
    assert error.details == {"file": "garden.toml", "key": key, "nearest": near}


def test_the_keys_of_a_free_table_are_never_unknown():
    assert parse('name = "g"\n[notes]\n"a.b c" = "x"\n').notes == {"a.b c": "x"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "garden.toml: the file: object missing required field name"),
        ("name='g'\n[[agents]]\ncwd='/'", "garden.toml: agents[0]: object missing required field name"),
        ("name='g'\n[by_name.x]\nname=1", "garden.toml: by_name.*.name: expected a string, got an integer"),
        ("name='g'\n[chief]\nname='c'\nrestart='never'", "garden.toml: chief.restart: invalid enum value 'never'"),
    ],
)
def test_a_wrong_value_is_found_however_deep(text: str, message: str):
    assert refused(text).message == message


def test_a_missing_file_is_for_the_caller_to_judge(home: Home):
    with pytest.raises(FileNotFoundError):
        read_toml(str(home.root / "none.toml"), Garden)


def test_an_unreadable_file_is_one_error(home: Home):
    loop = Path(home.root / "loop.toml")
    loop.symlink_to(loop)
    with pytest.raises(ConfigError, match="cannot read"):
        read_toml(str(loop), Garden)


@pytest.mark.parametrize(
    ("type_", "words"),
    [
        (str, "string"),
        (bool, "boolean"),
        (float | None, "number"),
        (Annotated[int, Meta(ge=1, le=9)], "integer from 1 to 9"),
        (Annotated[str, Meta(pattern="^a$")], "string matching `^a$`"),
        (Restart, '"permanent" or "transient" or "temporary"'),
        (tuple[str, ...], "array of string"),
        (list[int], "array of integer"),
        (tuple[int, str], "array [integer, string]"),
        (Garden, "table"),
    ],
)
def test_types_are_put_in_words(type_: object, words: str):
    assert in_words(type_) == words


def test_a_type_without_a_description_has_none():
    assert doc_of(Annotated[int, Meta(description="How many.")]) == "How many."
    assert doc_of(int) == ""
