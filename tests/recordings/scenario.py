"""What is done with an agent while it is recorded, as data: one TOML file for each kind in `scenarios/`."""

import re
from pathlib import Path

import msgspec

from tmuxorc.model import AgentState
from tmuxorc.toml import read_toml

SCENARIOS = Path(__file__).parent / "scenarios"
SIZES = ("200x50", "80x24", "40x15")


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One step; what is given of it is done in this order.

    `pause_s`: nothing, for so long.  `resize`: to another size.  `send`: paste, wait, Enter; `paste` without Enter;
    either may be ``@FILE`` in this folder.  `type` key by key; `keys` by tmux's names.  `request`: until the model was
    asked with a message that has this text.  `wait`, `title`: until a line of the screen, or the title, matches.
    `gone`: until no line does.  `quiet_s`: until nothing was painted for so long.  `kill`: by this signal.  `end`:
    until it has ended.  `mark`: the state it is in now, with what of the `detail` must be told and what may be told of
    it `also`; `hold_s`: and again and again, for so long.  All of it within `timeout_s`.
    """

    wait: str = ""
    title: str = ""
    gone: str = ""
    request: str = ""
    quiet_s: float = 0.0
    send: str = ""
    paste: str = ""
    type: str = ""
    keys: tuple[str, ...] = ()
    mark: AgentState | None = None
    detail: str = ""
    also: tuple[AgentState, ...] = ()
    hold_s: float = 0.0
    resize: str = ""
    kill: str = ""
    end: bool = False
    pause_s: float = 0.0
    timeout_s: float = 60.0


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of a file in the agent's home: `find` becomes `put`; without `find`, `put` is the file's new content."""

    file: str
    put: str
    find: str = ""


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One recording in each of the `sizes`, with `args` added to the command, `env` set, and the home changed.

    With `from_start` the common first steps are left out: it may never become ready.
    """

    name: str
    steps: tuple[Step, ...]
    sizes: tuple[str, ...] = SIZES
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    from_start: bool = False
    edits: tuple[Edit, ...] = ()


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is recorded of one kind; scenarios begin with the steps of `start`."""

    scenario: tuple[Scenario, ...]
    start: tuple[Step, ...] = ()

    def named(self, name: str) -> list[Scenario]:
        """Those called `name`, or all."""
        return [scenario for scenario in self.scenario if name in ("", scenario.name)]


def load(kind: str) -> Script:
    """The script of `kind`; raises `ConfigError`, and FileNotFoundError if there is none."""
    return read_toml(str(SCENARIOS / f"{kind}.toml"), Script)


def size_of(text: str) -> tuple[int, int]:
    """``80x24`` as (80, 24)."""
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if found is None:
        raise ValueError(f"not a size: {text!r}")
    return int(found[1]), int(found[2])
