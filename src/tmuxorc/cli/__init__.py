"""The command line: parses, asks the supervisor, draws the answer.

`main` is the console script.  Nothing else is imported until it runs, and then only what the given command needs.
"""

from typing import NoReturn


def main() -> NoReturn:
    """Run the command in ``sys.argv`` and exit with its status (`tmuxorc.errors.ExitStatus`)."""
    import sys

    from tmuxorc.cli._main import run

    sys.exit(run(sys.argv[1:]))
