"""A supervisor for each test, whose log must not hold a traceback at the end."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Cli, Home
from tests.tmux.supervisor._orc import Orc, make_orc


@pytest.fixture
def orc(cli: Cli, tmux_binary: str) -> Orc:
    """The real supervisor, asked over its socket; the `cli` fixture ends it with its agents."""
    return make_orc(cli, tmux_binary)


@pytest.fixture(autouse=True)
def clean_log(home: Home) -> Iterator[None]:
    """Whatever the day was like: nothing in any log is a traceback, or anything else that is not a record."""
    yield
    for log in Path(home.state).glob("tmux-orc/*/supervisor.log*"):
        for line in log.read_text().splitlines():
            assert "traceback" not in json.loads(line or "{}"), line
