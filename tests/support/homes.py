"""A home of its own for every test, in a path short enough for a Unix socket (104 bytes on macOS)."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STRIPPED = ("TMUX", "CLAUDECODE", "CLAUDE_CODE", "XDG_", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PS1")
"""Beginnings of the names of variables that would let the machine's own state leak into a test."""


@dataclass(frozen=True)
class Home:
    """Directories of one test; `variables` is what points programs at them."""

    root: Path

    @property
    def variables(self) -> dict[str, str]:
        """Every directory a program might look for state in."""
        return {
            "HOME": str(self.root / "home"),
            "XDG_CONFIG_HOME": str(self.config),
            "XDG_STATE_HOME": str(self.state),
            "XDG_DATA_HOME": str(self.root / "data"),
            "XDG_CACHE_HOME": str(self.root / "cache"),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "TMUX_TMPDIR": str(self.tmux),
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
        }

    @property
    def config(self) -> Path:
        """``XDG_CONFIG_HOME``."""
        return self.root / "c"

    @property
    def state(self) -> Path:
        """``XDG_STATE_HOME``."""
        return self.root / "s"

    @property
    def runtime(self) -> Path:
        """``XDG_RUNTIME_DIR``."""
        return self.root / "r"

    @property
    def tmux(self) -> Path:
        """``TMUX_TMPDIR``: even tmux's default server is a private one here."""
        return self.root / "t"

    def environment(self, outer: dict[str, str]) -> dict[str, str]:
        """`outer` without what would leak in, and with this home's variables."""
        kept = {name: value for name, value in outer.items() if not _stripped(name)}
        return kept | self.variables | {"PATH": f"{self.programs}:{outer.get('PATH', os.defpath)}"}

    @property
    def programs(self) -> Path:
        """First on PATH: programs put here stand before the machine's own."""
        return self.root / "bin"


def _stripped(name: str) -> bool:
    return name.startswith(STRIPPED) and not name.startswith("TMUX_ORC_TEST_")


@contextmanager
def make_home() -> Iterator[Home]:
    """Make the directories, all private, and remove them with everything in them."""
    root = Path(tempfile.mkdtemp(prefix="to-", dir="/tmp"))
    home = Home(root)
    for directory in (root / "home", home.config, home.state, home.runtime, home.tmux, home.programs):
        directory.mkdir(mode=0o700)
    try:
        yield home
    finally:
        shutil.rmtree(root, ignore_errors=True)
