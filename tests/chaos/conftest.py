"""Seeds of the storms: few for everybody, more with ``TMUX_ORC_TEST_SEEDS=50`` or ``TMUX_ORC_TEST_SEEDS=100-150``."""

import os

import pytest

from tests.chaos._storm import Storm
from tests.support import Cli, Home
from tests.tmux.supervisor._orc import make_orc

SHIPPED = "2"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every storm once for each seed."""
    if "seed" in metafunc.fixturenames:
        first, _, last = os.environ.get("TMUX_ORC_TEST_SEEDS", SHIPPED).rpartition("-")
        metafunc.parametrize("seed", range(int(first or 0), int(last)))


@pytest.fixture
def storm(cli: Cli, tmux_binary: str, home: Home, seed: int) -> Storm:
    """A supervisor with demo agents that record what they take in, nothing sent or killed yet."""
    return Storm(make_orc(cli, tmux_binary), home.root, seed)
