"""What a short command pays for."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.usefixtures("unmeasured")

HEAVY = {
    "anyio",
    "asyncio",
    "dataclasses",
    "fastmcp",
    "json",
    "libtmux",
    "logging",
    "pathlib",
    "rich",
    "sqlite3",
    "subprocess",
    "tomllib",
    "trio",
}


@pytest.mark.parametrize("module", ["tmuxorc.wire.client", "tmuxorc.daemon.launch"])
def test_the_client_and_the_launcher_load_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & {name.partition(".")[0] for name in loaded.split()}
