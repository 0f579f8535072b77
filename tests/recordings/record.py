"""Record an agent program: ``python -m tests.recordings.record AGENT [SCENARIO] [--size 80x24] [--keep]``.

It runs offline, in a network with nothing but loopback, against a scripted model, in a throwaway home and on a tmux
server of its own.  What has changed since the recording there was is shown: the states at the markers, the screens.
"""

import argparse
import codecs
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import trio

from tests.e2e.agents import namespace
from tests.e2e.agents.homes import Home, make_home
from tests.e2e.agents.model import ModelServer
from tests.e2e.agents.programs import PACKAGES
from tests.recordings import cast as casts
from tests.recordings.cast import Cast, Event, Mark
from tests.recordings.compare import changes, previous
from tests.recordings.scenario import SCENARIOS, Scenario, Step, load, size_of
from tests.support import TmuxServer, find_test_tmux, wait_gone
from tmuxorc import __version__
from tmuxorc.agents import EscapeScanner, load_kinds
from tmuxorc.cli._kinds import find_version
from tmuxorc.errors import ConfigError
from tmuxorc.tmux import Capture, Endpoint, PaneEvent, PaneInfo, PaneOutput, PaneSpec, Tmux, open_tmux

SUBMIT_AFTER_S = 0.7
HOLD_EVERY_S = 0.4
LOOK_EVERY_S = 0.05


class Tape:
    """Takes down what happens, with its time."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._began = time.monotonic()
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._scanner = EscapeScanner()
        self.changed = trio.Event()
        self._painted_at = self._began

    def __call__(self, event: PaneEvent) -> None:
        """Take in what happens to the pane."""
        if isinstance(event, PaneOutput):
            self._scanner.feed(event.data, 0)
            self._painted_at = time.monotonic()
            if text := self._text.decode(event.data):
                self.put("o", text)
        self.changed.set()

    def put(self, code: str, data: str) -> None:
        """Take down one event."""
        self._cast.events.append(Event(time.monotonic() - self._began, code, data))

    async def next(self) -> None:
        """Until something happens to the pane, or a moment has passed: a screen may be drawn later than it is said."""
        self.changed = trio.Event()
        with trio.move_on_after(0.5):
            await self.changed.wait()

    async def quiet(self, seconds: float) -> None:
        """Until nothing was painted for so long."""
        left = seconds
        while left > 0:
            await trio.sleep(left)
            left = self._painted_at + seconds - time.monotonic()

    async def mark(self, mark: Mark) -> None:
        """Take down a marker, between two sequences and never within one."""
        while self._scanner._rest or self._text.getstate()[0]:
            await self.next()
        self.put("m", str(mark))


class Stage:
    """One agent in one pane, and what can be done with it."""

    def __init__(self, tmux: Tmux, tape: Tape, info: PaneInfo, model: ModelServer) -> None:
        self._tmux = tmux
        self._tape = tape
        self._info = info
        self._model = model
        self._asked = 0

    async def perform(self, step: Step) -> None:
        """Do one step; raises TimeoutError that shows the screen."""
        try:
            with trio.fail_after(step.timeout_s):
                await self._do(step)
        except trio.TooSlowError:
            shown = await self._tmux.capture(self._info.pane_id)
            text = "\n".join(line for line in shown.lines if line.strip())
            raise TimeoutError(f"{step} did not come to its end; title {shown.title!r}, screen:\n{text}") from None

    async def _do(self, step: Step) -> None:
        if step.pause_s:
            await trio.sleep(step.pause_s)
        if step.resize:
            await self._resize(step.resize)
        await self._type(step)
        await self._until(step)
        if step.kill or step.end:
            await self._end(step.kill)
        if step.mark is not None:
            await self._mark(Mark(step.mark, step.detail, step.also), step.hold_s)

    async def _mark(self, mark: Mark, hold_s: float) -> None:
        until = trio.current_time() + hold_s
        await self._tape.mark(mark)
        while trio.current_time() + HOLD_EVERY_S < until:
            await trio.sleep(HOLD_EVERY_S)
            await self._tape.mark(mark)

    async def _type(self, step: Step) -> None:
        pane = self._info.pane_id
        if text := _text(step.send or step.paste):
            await self._tmux.paste(pane, text.encode())
        if step.type:
            await self._tmux.send_keys(pane, [step.type], literal=True)
        if step.send:
            await trio.sleep(SUBMIT_AFTER_S)
        if keys := (("Enter",) if step.send else step.keys):
            await self._tmux.send_keys(pane, keys)

    async def _until(self, step: Step) -> None:
        if step.request:
            await self._requested(step.request)
        if step.wait:
            await self._screen(lambda seen: any(re.search(step.wait, line) for line in seen.lines))
        if step.title:
            await self._screen(lambda seen: bool(re.search(step.title, seen.title)))
        if step.gone:
            await self._screen(lambda seen: not any(re.search(step.gone, line) for line in seen.lines))
        if step.quiet_s:
            await self._tape.quiet(step.quiet_s)

    async def _requested(self, text: str) -> None:
        wait = partial(self._model.wait_for, lambda request: text in request.text, 120.0)
        await trio.to_thread.run_sync(wait, abandon_on_cancel=True)

    async def _screen(self, shows: Callable[[Capture], bool]) -> None:
        while not shows(await self._tmux.capture(self._info.pane_id)):
            await self._tape.next()
            await trio.sleep(LOOK_EVERY_S)

    async def _resize(self, size: str) -> None:
        columns, rows = size_of(size)
        await self._tmux.run("resize-window", "-t", self._info.window_id, "-x", str(columns), "-y", str(rows))
        self._tape.put("r", size)

    async def _end(self, signal: str) -> None:
        if signal:
            await trio.run_process(["kill", f"-{signal}", str(self._info.pid)])
        await trio.to_thread.run_sync(wait_gone, self._info.pid, 60.0)
        status = await self._tmux.exit_status(self._info.pane_id)
        self._tape.put("x-exit", status.signal or str(status.status or 0))


def _text(given: str) -> str:
    """What is given, or the file of that name behind ``@``."""
    return (SCENARIOS / given[1:]).read_text().rstrip("\n") if given.startswith("@") else given


async def record(kind: str, version: str, scenario: Scenario, start: tuple[Step, ...], size: str) -> Cast:
    """Run the scenario in a pane of `size` and take it down."""
    cast = Cast(kind, version, scenario.name, size_of(size))
    with ModelServer() as model, own_home(kind, model.port, scenario) as home, own_server() as server:
        async with _stage(cast, server, home, scenario, model) as stage:
            for step in (*(() if scenario.from_start else start), *scenario.steps):
                await stage.perform(step)
    return cast


@asynccontextmanager
async def _stage(
    cast: Cast, server: TmuxServer, home: Home, scenario: Scenario, model: ModelServer
) -> AsyncIterator[Stage]:
    endpoint = Endpoint(binary=server.binary, socket_path=server.socket_path, config="/dev/null")
    env = [f"{name}={value}" for name, value in (home.env | scenario.env).items()]
    argv = ("env", "-i", *env, *home.argv, *scenario.args)
    async with open_tmux(endpoint, instance="record", size=cast.size) as tmux:
        session = await tmux.ensure_team_session("record")
        tape = Tape(cast)
        spec = PaneSpec(name="record", argv=argv, cwd=str(home.cwd))
        info = await tmux.create_pane(session, spec, tape)
        yield Stage(tmux, tape, info, model)


@contextmanager
def own_home(kind: str, port: int, scenario: Scenario) -> Iterator[Home]:
    """A home in a place that is always the same: screens show it."""
    folder = Path(tempfile.gettempdir()) / f"recording-{kind}"
    try:
        folder.mkdir()
    except FileExistsError:
        raise FileExistsError(
            f"{folder} is there: {kind} is being recorded, or was and left it; then remove it"
        ) from None
    try:
        home = _home(kind, folder, port)
        try:
            _change(home, scenario)
            yield home
        finally:
            home.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _home(kind: str, folder: Path, port: int) -> Home:
    if kind in PACKAGES:
        return make_home(kind, folder, port=port, project=folder / "project")
    env = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    return Home(kind, folder, list(load_kinds()[kind].argv(env)), env, folder)


def _change(home: Home, scenario: Scenario) -> None:
    for edit in scenario.edits:
        file = Path(home.env["HOME"]) / edit.file
        file.parent.mkdir(parents=True, exist_ok=True)
        put = edit.put.replace("{project}", str(home.cwd))
        file.write_text(file.read_text().replace(edit.find, put) if edit.find else put)


@contextmanager
def own_server() -> Iterator[TmuxServer]:
    """A tmux server of its own."""
    with tempfile.TemporaryDirectory(prefix="rec-", dir="/tmp") as folder:
        server = TmuxServer(find_test_tmux(), f"{folder}/tmux.sock")
        try:
            yield server
        finally:
            server.kill()


def version_of(kind: str) -> str:
    """The version that the installed program tells; ours alone for a kind without one."""
    if kind not in PACKAGES:
        return __version__
    with ModelServer() as model, own_home(kind, model.port, Scenario(name="", steps=())) as home:
        argv = ["env", "-i", *(f"{name}={value}" for name, value in home.env.items()), home.argv[0], "--version"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, cwd=home.cwd, check=True)
    return find_version(done.stdout + done.stderr)


def run(kind: str, name: str, sizes: list[str], keep: bool) -> int:
    """Record, show what has changed, and write; returns how many recordings failed."""
    script, version, failed = load(kind), version_of(kind), 0
    for scenario in script.named(name):
        for size in sizes or scenario.sizes:
            try:
                cast = trio.run(record, kind, version, scenario, script.start, size)
            except (TimeoutError, OSError) as error:
                failed += 1
                print(f"{kind}-{version}/{scenario.name}-{size}: {error}", file=sys.stderr, flush=True)
            else:
                _take(cast, keep)
    return failed


def _take(cast: Cast, keep: bool) -> None:
    """Write the recording unless told not to, and show what has changed."""
    old = previous(cast)
    if not keep:
        casts.write(cast)
    print(f"{cast}: {len(cast.marks)} markers", flush=True)
    try:
        kind = load_kinds().get(cast.kind)
    except ConfigError as error:
        print(f"the kinds cannot be read, so nothing is compared: {error}", file=sys.stderr, flush=True)
        return
    with own_server() as server:
        print(*changes(cast, old, kind, server), sep="\n", flush=True)


def main() -> int:
    """Go into a network of its own, and record there."""
    if not namespace.inside():
        command = namespace.wrapped([sys.executable, "-m", "tests.recordings.record", *sys.argv[1:]])
        os.execvp(command[0], command)
    parser = argparse.ArgumentParser(prog="python -m tests.recordings.record", description=__doc__)
    parser.add_argument("agent")
    parser.add_argument("scenario", nargs="?", default="")
    parser.add_argument("--size", action="append", default=[], help="only this size; may be repeated")
    parser.add_argument("--keep", action="store_true", help="show what has changed, but keep the recording there was")
    options = parser.parse_args()
    return 1 if run(options.agent, options.scenario, options.size, options.keep) else 0


if __name__ == "__main__":
    sys.exit(main())
