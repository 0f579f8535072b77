"""Fixtures of the command line's tests."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support import Home
from tests.unit.cli import _samples as samples
from tests.unit.cli._peer import Peer
from tests.unit.cli._running import Runner


@pytest.fixture(autouse=True)
def _five_minutes_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples are as old as they say, however long ago they were imported."""
    monkeypatch.setattr(samples, "THEN", datetime.now(UTC) - timedelta(minutes=5))


@pytest.fixture
def cmd(capsys: pytest.CaptureFixture[str]) -> Runner:
    """Runs commands in this process."""
    return Runner(capsys)


@pytest.fixture
def peer(home: Home) -> Iterator[Peer]:
    """A scripted supervisor of the default instance."""
    with Peer() as peer:
        yield peer
