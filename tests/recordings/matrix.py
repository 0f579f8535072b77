"""Which states are told right: ``python -m tests.recordings.matrix`` counts them over all recordings.

``--write`` puts the table into `docs/states.md`, ``--check`` ends with status 1 if another stands there.
"""

import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import trio

from tests.recordings import cast as casts
from tests.recordings.cast import Cast
from tests.recordings.replay import Seen, replay
from tests.support import TmuxServer, find_test_tmux
from tmuxorc.agents import Kind, load_kinds
from tmuxorc.model import AgentState

PAGE = Path(__file__).parents[2] / "docs" / "states.md"
BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"
STATES = tuple(AgentState)


@dataclass
class Tally:
    """What was told in which state of one agent in one version; `right` counts what may be told as well."""

    told: dict[AgentState, Counter[AgentState]] = field(default_factory=lambda: defaultdict(Counter))
    right: int = 0

    def add(self, seen: Seen) -> None:
        """Count one marker; what may be told as well as its own state stands as its own state."""
        told = seen.state.state
        right = seen.mark.allows(told)
        self.right += right
        self.told[seen.mark.state][seen.mark.state if right else told] += 1

    @property
    def total(self) -> int:
        """All markers."""
        return sum(counter.total() for counter in self.told.values())

    @property
    def unknown(self) -> int:
        """Those of which nothing was told."""
        return sum(counter[AgentState.UNKNOWN] for is_, counter in self.told.items() if is_ is not AgentState.UNKNOWN)

    @property
    def wrong(self) -> int:
        """Those of which something else was told."""
        return self.total - self.right - self.unknown


def tally(
    kinds: dict[str, Kind], paths: Iterable[Path], socket: Path, known: Mapping[Path, list[Seen]] | None = None
) -> dict[str, Tally]:
    """The count of each agent and version, ``codex 0.169.0``, over the recordings of `kinds`.

    Those that are not `known` are played, on a tmux server at `socket`.
    """
    found: dict[str, Tally] = defaultdict(Tally)
    for path in paths:
        cast = casts.read(path)
        if cast.kind in kinds:
            played = (known or {}).get(path) or _played(cast, kinds[cast.kind], socket)
            for seen in played:
                found[f"{cast.kind} {cast.version}"].add(seen)
    return dict(found)


def _played(cast: Cast, kind: Kind, socket: Path) -> list[Seen]:
    server = TmuxServer(find_test_tmux(), str(socket))
    try:
        return trio.run(replay, cast, kind, server)
    finally:
        server.kill()


def markdown(tallies: dict[str, Tally]) -> str:
    """The tables of the page: a summary, and one table for each agent and version."""
    lines = ["| agent | markers | right | unknown | wrong |", "| --- | --- | --- | --- | --- |"]
    for name, one in sorted(tallies.items()):
        lines.append(f"| {name} | {one.total} | {one.right} | {one.unknown} | {one.wrong} |")
    for name, one in sorted(tallies.items()):
        lines += ["", f"{name}:", "", *_table(one)]
    return "\n".join(lines)


def _table(one: Tally) -> Iterator[str]:
    columns = [state for state in STATES if any(counter[state] for counter in one.told.values())]
    yield f"| it is \\ told | {' | '.join(state.value for state in columns)} |"
    yield "| --- " * (len(columns) + 1) + "|"
    for state in STATES:
        if state in one.told:
            counts = (str(one.told[state][column] or "") for column in columns)
            yield f"| {state.value} | {' | '.join(counts)} |"


def with_matrix(page: str, tables: str) -> str:
    """The page with these tables between its marks."""
    block = f"{BEGIN}\n\n{tables}\n\n{END}"
    return re.sub(f"{BEGIN}.*{END}", lambda _: block, page, flags=re.DOTALL)


def main() -> int:
    """Count, print, and write or check the page."""
    with tempfile.TemporaryDirectory(prefix="mx-", dir="/tmp") as folder:
        tables = markdown(tally(load_kinds(), casts.paths(), Path(folder) / "tmux.sock"))
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else f"{BEGIN}{END}"
    wanted = with_matrix(page, tables)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(wanted, encoding="utf-8")
    elif "--check" in sys.argv[1:]:
        return int(page != wanted)
    else:
        print(tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
