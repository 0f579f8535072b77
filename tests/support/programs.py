"""`tmux-orc` as whole processes, in the environment of the running test."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.waiting import wait_gone

PROGRAM = Path(sys.executable).parent / "tmux-orc"
DEADLINE_S = 30.0


@dataclass(frozen=True)
class Completed:
    """A finished process: exit `status`, what it wrote, and how long it took from fork to exit."""

    status: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def json(self) -> Any:
        """Standard output as the one JSON object it must be."""
        return json.loads(self.stdout)

    @property
    def error(self) -> dict[str, Any]:
        """The error object that ``--json`` puts on standard error."""
        error: dict[str, Any] = json.loads(self.stderr)["error"]
        return error


class Cli:
    """Runs ``tmux-orc ARGS…`` and waits for its end; the exit status is the caller's to check."""

    def __call__(
        self,
        *args: str,
        stdin: str = "",
        timeout_s: float = DEADLINE_S,
        env: dict[str, str] | None = None,
        cwd: str | Path | None = None,
    ) -> Completed:
        """Run to the end; `env` is added to the test's environment.  Raises TimeoutExpired after `timeout_s`."""
        began = time.monotonic()
        done = subprocess.run(
            [PROGRAM, *args],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            check=False,
        )
        return Completed(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def json(self, *args: str, stdin: str = "", timeout_s: float = DEADLINE_S) -> Any:
        """Run with ``--json``, insist on success, and return the result object."""
        done = self(*args, "--json", stdin=stdin, timeout_s=timeout_s)
        assert done.status == 0, f"tmux-orc {' '.join(args)} gave {done.status}: {done.stderr}"
        return done.json

    def start(self, *args: str, **options: Any) -> subprocess.Popen[str]:
        """Start without waiting, for streaming commands; the caller ends it."""
        return subprocess.Popen([PROGRAM, *args], text=True, **options)


class Supervisor:
    """The real supervisor of the test's own instance."""

    def __init__(self, cli: Cli) -> None:
        self.cli = cli

    def start(self) -> None:
        """Start it, as a person would."""
        done = self.cli("daemon", "start")
        assert done.status == 0, f"the supervisor did not start: {done.stderr}"

    def status(self) -> dict[str, Any]:
        """``daemon status --json``."""
        status: dict[str, Any] = self.cli.json("daemon", "status")
        return status

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self.status()["pid"])

    def kill(self) -> int:
        """``kill -9`` it and wait for its end; returns the pid it had."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        assert wait_gone(pid), f"supervisor {pid} survived SIGKILL"
        return pid

    def stop(self, *, agents: bool = True) -> None:
        """Stop it in order, with its agents unless told otherwise; fine if none runs."""
        self.cli("daemon", "stop", *(["--agents"] if agents else []), timeout_s=60)
