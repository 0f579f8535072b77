"""Real agents under the real supervisor, in a network namespace with nothing but loopback: `nox -s e2e` makes one.

Outside of one nothing here is collected.  ``TMUX_ORC_E2E_KINDS`` names the agents, all of which must be installed.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.agents import namespace
from tests.e2e.agents.model import ModelServer
from tests.e2e.real.world import World
from tests.support import Cli, Home

KINDS = os.environ.get("TMUX_ORC_E2E_KINDS", "").split()
collect_ignore_glob = [] if namespace.inside() and KINDS else ["test_*.py"]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each agent that was asked for."""
    return str(request.param)


@pytest.fixture
def model() -> Iterator[ModelServer]:
    """The scripted model."""
    namespace.require()
    with ModelServer() as server:
        yield server


@pytest.fixture
def world(kind: str, model: ModelServer, home: Home, cli: Cli, tmp_path: Path) -> Iterator[World]:
    """One agent's settings, and a supervisor that starts on demand."""
    world = World(kind, model, cli, tmp_path)
    yield world
    world.close()
