"""A supervisor on a tmux server of the test's own, and a client of it."""

import pytest

from tests.support import Cli
from tests.tmux.supervisor._orc import Orc, make_orc


@pytest.fixture
def orc(cli: Cli, tmux_binary: str) -> Orc:
    """The real supervisor, asked over its socket; the `cli` fixture ends it with its agents."""
    return make_orc(cli, tmux_binary)
