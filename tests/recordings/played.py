"""What was told at each marker of a recording: played once in a process, however many tests ask."""

from pathlib import Path

from tests.recordings import cast as casts
from tests.recordings.cast import Cast
from tests.recordings.replay import Seen, replay
from tests.support import TmuxServer
from tmuxorc.agents import load_kinds

KINDS = load_kinds()
PATHS = [path for path in casts.paths() if path.parent.name.rpartition("-")[0] in KINDS]
"""The recordings of kinds that there are."""
PLAYED: dict[Path, list[Seen]] = {}


def name_of(path: Path) -> str:
    """A recording in short: ``codex-0.169.0/turns-80x24``."""
    return f"{path.parent.name}/{path.name.partition('.cast')[0]}"


async def play(path: Path, server: TmuxServer) -> tuple[Cast, list[Seen]]:
    """The recording, and what was told at its markers."""
    cast = casts.read(path)
    if path not in PLAYED:
        PLAYED[path] = await replay(cast, KINDS[cast.kind], server)
    return cast, PLAYED[path]
