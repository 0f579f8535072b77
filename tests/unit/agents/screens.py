"""Screens of real programs, as tmux captured them with colours.

A file's first line is JSON: cursor, whether it shows, title.  Then the lines of ``capture-pane -p -e``.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from tmuxorc.agents import Detector
from tmuxorc.agents.cells import read_cells
from tmuxorc.agents.evidence import ProcessStarted, ScreenSeen, State
from tmuxorc.agents.kinds import Kind

FOLDER = Path(__file__).parent


def recorded(folder: str) -> Iterator[Path]:
    """All screens in a folder."""
    return iter(sorted((FOLDER / folder).glob("*.screen")))


def label(path: Path) -> str:
    """What the screen shows: the name without the size."""
    return path.stem.partition("-")[2]


def read(path: Path, *, coloured: bool = True) -> ScreenSeen:
    """The screen in a file."""
    head, *lines = path.read_text().removesuffix("\n").split("\n")
    about = msgspec.json.decode(head)
    cells = read_cells(lines, coloured=True)
    return ScreenSeen(
        at=1,
        lines=cells.lines,
        solid=cells.solid if coloured else (),
        cursor=tuple(about["cursor"]),
        cursor_visible=about["cursor_visible"],
        title=about["title"],
        alternate=about["alternate"],
    )


def state(kind: Kind, screen: ScreenSeen) -> State:
    """What the kind's rules make of a screen."""
    detector = Detector(kind)
    detector.feed(ProcessStarted(at=0))
    detector.feed(screen)
    return detector.state
