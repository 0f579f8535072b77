"""A real tmux of the test's own, open, and panes in it."""

from collections.abc import AsyncIterator

import pytest

from tests.support import Home, TmuxServer
from tests.tmux.panes import Panes
from tmuxorc.tmux import Endpoint, Tmux, open_tmux


@pytest.fixture
def endpoint(tmux_server: TmuxServer) -> Endpoint:
    """The private server of this test, without anybody's configuration."""
    return Endpoint(binary=tmux_server.binary, socket_path=tmux_server.socket_path, config="/dev/null")


@pytest.fixture
async def tmux(endpoint: Endpoint) -> AsyncIterator[Tmux]:
    """An open connection to the private server."""
    async with open_tmux(endpoint, instance="test") as tmux:
        yield tmux


@pytest.fixture
async def panes(tmux: Tmux, home: Home) -> Panes:
    """Panes of a team, watched."""
    return Panes(tmux, await tmux.ensure_team_session("team"), str(home.root))
