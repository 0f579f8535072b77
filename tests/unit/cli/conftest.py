"""Fixtures of the command line's tests."""

from collections.abc import Iterator

import pytest

from tests.support import Home
from tests.unit.cli._peer import Peer
from tests.unit.cli._running import Runner


@pytest.fixture
def cmd(capsys: pytest.CaptureFixture[str]) -> Runner:
    """Runs commands in this process."""
    return Runner(capsys)


@pytest.fixture
def peer(home: Home) -> Iterator[Peer]:
    """A scripted supervisor of the default instance."""
    with Peer() as peer:
        yield peer
