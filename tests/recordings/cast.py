"""Recordings as files: asciicast v2, one JSON value a line (https://docs.asciinema.org/manual/asciicast/v2/).

Any player shows them.  Beside output (`o`), resizes (`r`) and markers (`m`) there are events of our own: `x-hook` and
`x-channel` for what a hook or a channel said, `x-exit` for how the program ended (`0`, or `SIGKILL`).  A marker says in
which state the agent then is: ``state=blocked detail=touch made``, or
``state=busy|limited`` where either may be said.
"""

import gzip
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from tmuxorc.model import AgentState

CASTS = Path(__file__).parent / "casts"
ZIPPED_FROM = 40_000
"""Bytes from which a recording is compressed."""

_MARK = re.compile(r"state=([\w|]+)(?: detail=(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Mark:
    """The state an agent is in, what of its detail must be told (empty for anything), and what is as right to say."""

    state: AgentState
    detail: str = ""
    also: tuple[AgentState, ...] = ()

    def __str__(self) -> str:
        states = "|".join(state.value for state in (self.state, *self.also))
        return f"state={states}" + (f" detail={self.detail}" if self.detail else "")

    @classmethod
    def parse(cls, text: str) -> "Mark":
        """The reverse of `str`."""
        found = _MARK.fullmatch(text)
        if found is None:
            raise ValueError(f"not a marker: {text!r}")
        state, *also = map(AgentState, found[1].split("|"))
        return cls(state, found[2] or "", tuple(also))

    def allows(self, state: AgentState) -> bool:
        """Whether it is right to say `state`."""
        return state in (self.state, *self.also)


@dataclass(frozen=True)
class Event:
    """Something that happened `at_s` seconds after the start; `code` is the kind of it, `data` as the code has it."""

    at_s: float
    code: str
    data: str


@dataclass
class Cast:
    """One recording of `kind` in `version`, begun in `size` (columns, rows), of the scenario `name`."""

    kind: str
    version: str
    name: str
    size: tuple[int, int]
    events: list[Event] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.kind}-{self.version}/{self.name}-{self.size[0]}x{self.size[1]}"

    @property
    def marks(self) -> list[Mark]:
        """Its markers, in order."""
        return [Mark.parse(event.data) for event in self.events if event.code == "m"]

    def segments(self) -> list[list[Event]]:
        """The events up to each marker, which is the last of its segment; what follows the last marker is left out."""
        found: list[list[Event]] = [[]]
        for event in self.events:
            found[-1].append(event)
            if event.code == "m":
                found.append([])
        return found[:-1]


def dump(cast: Cast) -> bytes:
    """The recording as a file's content, uncompressed."""
    head = {
        "version": 2,
        "width": cast.size[0],
        "height": cast.size[1],
        "title": f"{cast.kind} {cast.version}: {cast.name}",
        "x-agent": {"kind": cast.kind, "version": cast.version, "scenario": cast.name},
    }
    lines = [head, *([round(event.at_s, 3), event.code, event.data] for event in cast.events)]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def parse(data: bytes) -> Cast:
    """The recording in a file's content."""
    head, *lines = (json.loads(line) for line in data.decode().split("\n") if line)
    about = head["x-agent"]
    cast = Cast(about["kind"], about["version"], about["scenario"], (head["width"], head["height"]))
    cast.events = [Event(*line) for line in lines]
    return cast


def read(path: Path) -> Cast:
    """The recording in the file, which may be compressed."""
    data = path.read_bytes()
    return parse(gzip.decompress(data) if path.suffix == ".gz" else data)


def write(cast: Cast, folder: Path = CASTS) -> Path:
    """Write the recording where it belongs, in place of the one that was there; returns where."""
    data = dump(cast)
    plain = folder / f"{cast}.cast"
    zipped = plain.with_suffix(".cast.gz")
    plain.parent.mkdir(parents=True, exist_ok=True)
    for old in (plain, zipped):
        old.unlink(missing_ok=True)
    if len(data) < ZIPPED_FROM:
        plain.write_bytes(data)
        return plain
    zipped.write_bytes(gzip.compress(data, 9, mtime=0))
    return zipped


def paths(kind: str = "*", folder: Path = CASTS) -> list[Path]:
    """Every recording, by its path."""
    return sorted(folder.glob(f"{kind}-*/*.cast*"))
