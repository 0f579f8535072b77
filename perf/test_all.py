"""Every benchmark under pytest-benchmark, for its statistics and its history: `pytest perf/test_all.py -k wire`.

Here times are absolute and only this tree is measured; whether a change is slower is for `nox -s perf` to say.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import trio

from perf.harness.bench import every
from perf.harness.gate import jobs_of
from perf.harness.lab import Lab
from perf.harness.measure import Job

JOBS = [job for job in jobs_of(every().values(), quick=True) if job.benchmark.unit in ("s", "s/act")]

ACTS = 100
"""Of async benchmarks, what is reported is the time of so many."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One lab, so that the crew is kept."""
    lab = Lab()
    yield lab
    lab.close()


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_benchmark(job: Job, lab: Lab, benchmark: Callable[..., Any]) -> None:
    """Time one act."""
    generator = job.benchmark.set_up(*((lab,) if job.point is None else (lab, job.point)))
    if job.benchmark.is_async:
        trio.run(_async, generator, benchmark)
    else:
        benchmark(next(generator))
        next(generator, None)


async def _async(generator: Any, benchmark: Callable[..., Any]) -> None:
    """A hundred acts at a time: each of them alone would cost less than the way between the threads."""
    act = await anext(generator)

    async def acts() -> None:
        for _ in range(ACTS):
            await act()

    await trio.to_thread.run_sync(benchmark, partial(trio.from_thread.run, acts))
    await anext(generator, None)
