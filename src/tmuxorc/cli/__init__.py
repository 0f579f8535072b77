"""The command line: parses, asks the supervisor, draws the answer.

`main` is the console script.  Nothing else is imported until it runs, and then only what the given command needs.
"""

from typing import NoReturn


def main() -> NoReturn:
    """Run the command in ``sys.argv`` and end the process with its status (`tmuxorc.errors.ExitStatus`).

    ``tmux-orc hook EVENT`` is for the agents' own programs and no command: it is what `tmuxorc.hook` does.

    A process that lives for 50 ms makes no garbage worth collecting, and taking its modules apart one by one at the end
    would be a fifth of its time: both are left out.  Functions registered with `atexit` do run.
    """
    import atexit
    import gc
    import os
    import sys

    if sys.argv[1:2] == ["hook"]:
        from tmuxorc import hook

        del sys.argv[1]
        hook.main()
    gc.disable()
    from tmuxorc.cli._main import run

    status = run(sys.argv[1:])
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
    os._exit(status)
