"""The commands described by themselves."""

from typing import Any

from tmuxorc.cli._tree import walk
from tmuxorc.cli.reflect import describe, markdown


def test_every_command_with_parameters_and_result(cmd: Any) -> None:
    tree = cmd("reflect --json").json
    assert [c["command"] for c in tree["commands"]] == [" ".join(words) for words in walk()]
    spawn = next(c for c in tree["commands"] if c["command"] == "spawn")
    parameters = {p["name"]: p for p in spawn["parameters"]}
    assert parameters["name"]["required"]
    assert parameters["name"]["flags"] == []
    assert parameters["restart"]["default"] == "transient"
    assert parameters["restart"]["type"] == "permanent|transient|temporary"
    assert parameters["env"]["repeated"]
    assert parameters["timeout_s"]["schema"] == {"type": "number"}
    assert spawn["result"] == {"$ref": "#/schemas/AgentView"}
    assert "messages_waiting" in tree["schemas"]["AgentView"]["properties"]


def test_no_reference_leads_nowhere(cmd: Any) -> None:
    """Every schema a result names is there, however deep."""
    tree = cmd("reflect --json").json

    def references(value: Any) -> Any:
        if isinstance(value, dict):
            yield from ([value["$ref"]] if "$ref" in value else [])
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    found = {reference.rpartition("/")[2] for reference in references(tree)}
    assert found <= tree["schemas"].keys()


def test_json_is_the_same_by_either_name(cmd: Any) -> None:
    assert cmd("reflect --format json").json["commands"] == cmd("reflect --json").json["commands"]


def test_streams_say_what_they_send() -> None:
    follow = next(c for c in describe().commands if c.command == "event follow")
    assert follow.stream == {"$ref": "#/schemas/EventView"}


def test_tree_shows_every_command(cmd: Any) -> None:
    lines = cmd("reflect").out.splitlines()
    assert any(line.startswith("spawn NAME") for line in lines)
    assert any(line.startswith("  adopt PANE") for line in lines)


def test_markdown_has_a_heading_for_every_command(cmd: Any) -> None:
    page = cmd("reflect --format markdown").out
    assert page == markdown(describe()).rstrip("\n") + "\n"
    assert all(f"# `{' '.join(words)}`\n" in page for words in walk())
    assert "| --- |" in page
