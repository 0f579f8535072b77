"""``python -m tmuxorc.daemon INSTANCE``: the supervisor process; in the foreground unless told to detach."""

import sys

from tmuxorc.daemon.process import App, main


def _load_app() -> App:
    # Imported only once the process can tell its starter what went wrong.
    from tmuxorc.daemon.app import run

    return run


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], _load_app))
