"""What a new recording shows that the one before it did not: states at the markers, and the screens there."""

import difflib
import re
from collections.abc import Iterator

import trio

from tests.recordings import cast as casts
from tests.recordings.cast import Cast
from tests.recordings.replay import Seen, replay, verdict
from tests.support import TmuxServer
from tmuxorc.agents import Kind
from tmuxorc.agents.evidence import ScreenSeen

CONTEXT = 0
"""Lines of a screen shown around a change."""


def changes(new: Cast, old: Cast | None, kind: Kind | None, server: TmuxServer) -> Iterator[str]:
    """Lines for people: what is told in the new recording, and where it differs from the one before it."""
    if kind is None:
        yield f"there is no kind {new.kind} yet: no state is told"
        return
    after = trio.run(replay, new, kind, server)
    yield from map(verdict, after)
    if old is None:
        yield "it is the first recording of this"
        return
    yield from differences(str(old), trio.run(replay, old, kind, server), str(new), after)


def previous(new: Cast) -> Cast | None:
    """The recording of the same that there was: of the same version, or of the one written last."""
    same = [path for path in casts.paths(new.kind) if path.name.split(".cast")[0] == str(new).split("/")[1]]
    same.sort(key=lambda path: (path.parent.name == f"{new.kind}-{new.version}", path.stat().st_mtime))
    return casts.read(same[-1]) if same else None


def still(screen: ScreenSeen) -> list[str]:
    """Its lines with the same digits and the same sign for every spinner, which differ from one look to the next."""
    return [re.sub("[\u2800-\u28ff]", "\u28ff", re.sub(r"\d", "0", line)) for line in screen.lines]


def differences(old_name: str, before: list[Seen], new_name: str, after: list[Seen]) -> Iterator[str]:
    """The markers in turn; a repaint shows as lines that went and lines that came."""
    for number, (was, now) in enumerate(zip(before, after, strict=False)):
        if was.state.state is not now.state.state:
            yield f"marker {number}: {was.mark} was told as {was.state.state.value}, now as {now.state.state.value}"
        names = f"{old_name} marker {number}", f"{new_name} marker {number}"
        yield from difflib.unified_diff(still(was.screen), still(now.screen), *names, lineterm="", n=CONTEXT)
    if len(before) != len(after):
        yield f"{len(before)} markers before, {len(after)} now"
