"""Every key of the configuration is read by somebody."""

import ast
from pathlib import Path

import pytest

import tmuxorc
from tmuxorc.config import describe

SOURCES = [path for path in Path(tmuxorc.__file__).parent.rglob("*.py") if path.name != "config.py"]


def attributes_read() -> set[str]:
    """Names of all attributes that the program's code looks at."""
    trees = (ast.parse(path.read_text()) for path in SOURCES)
    return {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


READ = attributes_read()


@pytest.mark.parametrize("key", [setting.key for setting in describe()])
def test_a_key_has_a_reader(key: str) -> None:
    section, _, name = key.partition(".")
    assert {section, name} <= READ
