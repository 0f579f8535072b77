"""What can be known to fail before tmux is asked: it would start the pane all the same and show the error inside."""

import os
import shutil

from tmuxorc.tmux._errors import BadDirectory, ProgramNotFound
from tmuxorc.tmux._types import PaneSpec


def check_startable(spec: PaneSpec) -> None:
    """Raise `BadDirectory` or `ProgramNotFound` if the program cannot start where it is meant to."""
    check_directory(spec.cwd)
    find_program(spec.argv[0] if spec.argv else "", path=spec.env.get("PATH"), cwd=spec.cwd)


def check_directory(cwd: str) -> None:
    """Raise `BadDirectory` unless a program can be started in `cwd`."""
    if not os.path.isabs(cwd):
        raise _bad(cwd, f"the working directory must be an absolute path, not {cwd!r}", "begin it with a slash")
    if not os.path.exists(cwd):
        raise _bad(cwd, f"there is no directory {cwd}", "make it, or give another with --cwd")
    if not os.path.isdir(cwd):
        raise _bad(cwd, f"{cwd} is not a directory", "give a directory with --cwd")
    if not os.access(cwd, os.X_OK):
        raise _bad(cwd, f"no permission to enter {cwd}", "give another with --cwd, or mend its mode")


def find_program(name: str, *, path: str | None, cwd: str) -> str:
    """The absolute path of the program `name`, from `cwd` if it has a slash, else looked up in `path`.

    `path` None stands for our own.  Entries that are not absolute start from `cwd`, as they would for the program.
    Raises `ProgramNotFound` with the PATH that was searched.
    """
    if os.sep in name:
        return _program_at(os.path.join(cwd, name))
    searched = os.environ.get("PATH", os.defpath) if path is None else path
    folders = searched.split(os.pathsep)
    found = shutil.which(name, path=os.pathsep.join(os.path.join(cwd, folder) for folder in folders))
    if found is None:
        raise ProgramNotFound(
            f"there is no program {name!r} in PATH",
            hint=f"searched: {searched}",
            details={"program": name, "path": folders},
        )
    return found


def _program_at(path: str) -> str:
    if os.path.isfile(path) and os.access(path, os.X_OK):
        return path
    missing = not os.path.exists(path)
    raise ProgramNotFound(
        f"there is no program {path}" if missing else f"{path} is not a program that can be run",
        hint="give the path of one, or a bare name to look for in PATH" if missing else f"try: chmod +x {path}",
        details={"program": path},
    )


def _bad(cwd: str, message: str, hint: str) -> BadDirectory:
    return BadDirectory(message, hint=hint, details={"cwd": cwd})
