"""Run a command inside the test's own process, as `main` would."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

import pytest

from tmuxorc.cli._main import run


@dataclass(frozen=True)
class Ran:
    """What a command left: exit status and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be exactly one JSON object on one line."""
        assert self.status == 0, self.err
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error object on standard error."""
        error: dict[str, Any] = json.loads(self.err)["error"]
        return error


class Runner:
    """Runs commands given as one line or as words."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *words: str) -> Ran:
        """Run it; one word is split as a shell would."""
        status = run(shlex.split(words[0]) if len(words) == 1 else list(words))
        written = self._capture.readouterr()
        return Ran(status, written.out, written.err)
