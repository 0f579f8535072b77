"""A flame graph of one benchmark: of this process where the work is done here, of the supervisor where it is not."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from perf.harness.lab import Crew, Lab
from perf.harness.measure import Job

DONE_ELSEWHERE = ("life", "delivery", "resources")
"""Subjects whose work a supervisor does, unless they are pure."""

COMMAND = """
import os, sys
from pyinstrument import Profiler
def leave(status):
    raise SystemExit(status)
os._exit = leave
path = sys.argv.pop(1)
sys.argv[0] = "tmux-orc"
profiler = Profiler(interval=0.0002)
profiler.start()
try:
    from tmuxorc.cli import main
    main()
finally:
    profiler.stop()
    open(path, "w").write(profiler.output_html())
"""
"""Profiles a command from its first import on; a command that leaves without goodbye is made to say it."""


def flame(job: Job, into: Path, seconds: float) -> Path:
    """Run the benchmark for so long under a profiler; returns the file to open."""
    into.mkdir(parents=True, exist_ok=True)
    subject = job.benchmark.name.partition(".")[0]
    lab = Lab()
    try:
        if subject == "cli":
            return _of_command(job, lab, into / f"profile-{job.name}.html")
        if subject in DONE_ELSEWHERE and not job.benchmark.counted and not job.benchmark.is_async:
            return _of_supervisor(job, lab, into / f"profile-{job.name}.svg", seconds)
        return _of_this_process(job, lab, into / f"profile-{job.name}.html", seconds)
    finally:
        lab.close()


def _arguments(job: Job, lab: Lab) -> tuple[object, ...]:
    return (lab,) if job.point is None else (lab, job.point)


def _of_this_process(job: Job, lab: Lab, path: Path, seconds: float) -> Path:
    from pyinstrument import Profiler

    profiler = Profiler(interval=0.0005, async_mode="disabled")
    generator = job.benchmark.set_up(*_arguments(job, lab))

    async def act_async() -> None:
        act = await anext(generator)
        with profiler:
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                await act()
        await anext(generator, None)

    def act_here() -> None:
        act = next(generator)
        with profiler:
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                act()
        next(generator, None)

    if job.benchmark.is_async:
        import trio

        trio.run(act_async)
    else:
        act_here()
    path.write_text(profiler.output_html(), encoding="utf-8")
    return path


def _of_command(job: Job, lab: Lab, path: Path) -> Path:
    """A command is one short process: profile that, from its first import on."""
    words: list[str] = []
    lab.spawn = lambda argv: words.extend(argv[1:])  # type: ignore[method-assign]
    generator = job.benchmark.set_up(*_arguments(job, lab))
    next(generator)()
    del lab.spawn
    lab.run(sys.executable, "-c", COMMAND, str(path.absolute()), *words)
    next(generator, None)
    return path


def _of_supervisor(job: Job, lab: Lab, path: Path, seconds: float) -> Path:
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if spy is None:
        raise SystemExit("profiling a supervisor takes py-spy; install it: pip install py-spy")
    generator = job.benchmark.set_up(*_arguments(job, lab))
    act = next(generator)
    crew: Crew = lab.crew(lab.crew_size)
    asked = [spy, "record", "--pid", str(crew.pid), "--duration", str(round(seconds)), "--rate", "500", "-o", str(path)]
    with subprocess.Popen(asked, stdout=subprocess.DEVNULL) as recorder:
        while recorder.poll() is None:
            act()
    next(generator, None)
    return path
