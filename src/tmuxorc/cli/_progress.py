"""Signs of life on standard error while long work is under way; silent unless that is a terminal."""

import sys

from tmuxorc.wire.methods import PlanStep


class Steps:
    """The steps of a plan, one line each, as they are taken."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._count = 0

    def show(self, step: PlanStep) -> None:
        """Say that this step was taken."""
        if self._live and step.action != "keep":
            self._count += 1
            sys.stderr.write(f"\r\x1b[K{self._count}: {step.action} {step.subject}")
            sys.stderr.flush()

    def close(self) -> None:
        """Take the line away: the result that follows says it all."""
        if self._count:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
