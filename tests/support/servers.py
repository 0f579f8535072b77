"""A tmux server of a test's own: never the default one, never a person's configuration file."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import wait_gone

DEADLINE_S = 10.0


def find_test_tmux() -> str:
    """The tmux to test against: ``TMUX_ORC_TEST_TMUX``, else the one on PATH; its absolute path."""
    wanted = os.environ.get("TMUX_ORC_TEST_TMUX") or "tmux"
    found = shutil.which(wanted)
    if found is None:
        raise FileNotFoundError(f"the tests need {wanted!r}; install tmux or set TMUX_ORC_TEST_TMUX to its path")
    return str(Path(found).absolute())


@dataclass(frozen=True)
class TmuxServer:
    """One private server: started by the first command that needs it, killed at the end of the test."""

    binary: str
    socket_path: str

    def run(self, *args: str, check: bool = True) -> str:
        """Run one tmux command as a subprocess and return what it printed, without the last newline."""
        argv = [self.binary, "-f", "/dev/null", "-S", self.socket_path, *args]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        if check and done.returncode:
            raise RuntimeError(f"tmux {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout.rstrip("\n")

    @property
    def pid(self) -> int | None:
        """The server's process, or None if none answers; asking starts none."""
        argv = [self.binary, "-N", "-S", self.socket_path, "display-message", "-p", "#{pid}"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else None

    @property
    def alive(self) -> bool:
        """Whether a server answers."""
        return self.pid is not None

    def kill(self) -> None:
        """End the server, if there is one, and wait for its end."""
        pid = self.pid
        if pid is None:
            return
        argv = [self.binary, "-N", "-S", self.socket_path, "kill-server"]
        subprocess.run(argv, capture_output=True, timeout=DEADLINE_S, check=False)
        assert wait_gone(pid, DEADLINE_S), f"tmux server {pid} did not end"


def servers_in(directory: Path, binary: str) -> list[TmuxServer]:
    """Every tmux socket under a ``TMUX_TMPDIR``."""
    return [TmuxServer(binary, str(path)) for path in directory.glob("tmux-*/*") if path.is_socket()]
