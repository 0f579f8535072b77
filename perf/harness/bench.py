"""Declaring a benchmark: what is done, what a user feels when it gets slower, and how its cost may grow.

A benchmark is a generator: what stands before its ``yield`` sets up, the callable it yields is one act, what stands
behind it cleans up.  An `async` generator yields an async callable and runs on trio.

>>> @benchmark(feels="every answer of the supervisor comes later")          # doctest: +SKIP
... def decode(lab):
...     line = codec.encode_result(1, VIEW)
...     yield lambda: codec.decode_frame(line)
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

from perf.harness.decision import THRESHOLD
from perf.harness.growth import SLACK, Growth

SUBJECTS = "perf.subjects"

SetUp = TypeVar("SetUp", bound=Callable[..., Any])


@dataclass(frozen=True)
class Scale:
    """An axis of sizes, given to the benchmark as its second argument; `quick` names those of the quick form."""

    axis: str
    points: tuple[int, ...]
    quick: tuple[int, ...] = ()
    growth: Growth | None = Growth.LINEAR
    slack: float = SLACK


@dataclass(frozen=True)
class Benchmark:
    """One declared benchmark; see `benchmark` for its fields."""

    name: str
    feels: str
    set_up: Callable[..., Any]
    unit: str
    beside: tuple[str, ...]
    scale: Scale | None
    threshold: float
    why: str
    floor: float
    least: int
    quick: bool
    counted: bool
    gated: bool

    @property
    def is_async(self) -> bool:
        """Whether it runs on trio."""
        return inspect.isasyncgenfunction(self.set_up)

    def points(self, *, quick: bool) -> tuple[int | None, ...]:
        """The sizes it is measured at; None stands for a benchmark without an axis."""
        if self.scale is None:
            return (None,)
        return self.scale.quick if quick and self.scale.quick else self.scale.points


_declared: dict[str, Benchmark] = {}


def benchmark(
    *,
    feels: str,
    unit: str = "s",
    beside: str | tuple[str, ...] = (),
    scale: Scale | None = None,
    threshold: float = THRESHOLD,
    why: str = "",
    floor: float = 0.0,
    least: int = 8,
    quick: bool = True,
    counted: bool = False,
    gated: bool = True,
) -> Callable[[SetUp], SetUp]:
    """Declare the decorated generator as the benchmark ``MODULE.FUNCTION``.

    `feels` says what a user notices when it gets slower.  With `unit` ``s`` the act is timed, as often in a row as it
    takes to be timed well; with ``s/act`` once at a time; with any other unit the act returns the value
    itself, and less is better.
    `beside` names calibrations measured in the same rounds.  A `threshold` other than the default needs a `why`.
    `floor`, in `unit`, is what nobody would notice: it is added to both sides of a ratio.  `least` is the least number
    of rounds.  Not `quick`: left out of the quick form.  `counted`: its act is a fixed piece of pure code whose
    instructions may be counted.  Not `gated`: measured for comparison only.
    """
    if threshold != THRESHOLD and not why:
        raise ValueError("a threshold of its own needs a reason")

    def declare(set_up: SetUp) -> SetUp:
        name = f"{set_up.__module__.rpartition('.')[2]}.{set_up.__name__}"
        against = (beside,) if isinstance(beside, str) else beside
        _declared[name] = Benchmark(
            name, feels, set_up, unit, against, scale, threshold, why, floor, least, quick, counted, gated
        )
        return set_up

    return declare


def every() -> dict[str, Benchmark]:
    """All benchmarks of all subjects by name."""
    for module in iter_modules(import_module(SUBJECTS).__path__):
        import_module(f"{SUBJECTS}.{module.name}")
    return dict(sorted(_declared.items()))


def find(name: str) -> Benchmark:
    """One benchmark; only its own subject is imported."""
    subject = name.partition(".")[0]
    import_module(f"{SUBJECTS}.{subject}")
    return _declared[name]
