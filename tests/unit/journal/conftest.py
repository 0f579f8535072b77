import pytest

from tests.support import Home


@pytest.fixture
def path(home: Home) -> str:
    """Where a journal can be made."""
    return str(home.state / "journal.db")
