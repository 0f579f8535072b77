"""What can be known to fail before tmux is asked: it would start the pane all the same and show the error inside."""

import os
import shutil

from tmuxorc.tmux._errors import BadDirectory, ProgramMissing
from tmuxorc.tmux._types import PaneSpec


def check_startable(spec: PaneSpec) -> None:
    """Raise `BadDirectory` or `ProgramMissing` if the program cannot start where it is meant to."""
    if not os.path.isabs(spec.cwd):
        raise BadDirectory(f"the working directory {spec.cwd!r} is not absolute", details={"cwd": spec.cwd})
    if not os.path.isdir(spec.cwd):
        what = "is not a directory" if os.path.exists(spec.cwd) else "does not exist"
        raise BadDirectory(f"the working directory {spec.cwd!r} {what}", details={"cwd": spec.cwd})
    find_program(spec.argv[0] if spec.argv else "", path=spec.env.get("PATH"), cwd=spec.cwd)


def find_program(name: str, *, path: str | None, cwd: str) -> str:
    """The absolute path of the program, looked up on `path` (None: our own PATH), or from `cwd` if it has a slash."""
    searched = os.environ.get("PATH", os.defpath) if path is None else path
    found = shutil.which(os.path.join(cwd, name) if os.sep in name else name, path=searched)
    if found is None:
        where = "" if os.sep in name else f" on the PATH {searched}"
        raise ProgramMissing(f"there is no program {name!r}{where}", details={"program": name, "path": searched})
    return os.path.join(cwd, found)
