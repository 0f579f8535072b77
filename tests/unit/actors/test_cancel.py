"""Every public coroutine, cancelled at its first, second, third … checkpoint: nothing breaks and a second run works."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio

from tests.unit.actors._probe import Echo, Record, Sleep, virtual
from tmuxorc.actors import System, open_system
from tmuxorc.model import Desired

Deed = Callable[[System], Awaitable[object]]


class CancelAtStep(trio.abc.Instrument):
    """Cancels `scope` when `task` is about to take its `step`-th step."""

    def __init__(self, task: trio.lowlevel.Task, scope: trio.CancelScope, step: int) -> None:
        self.task = task
        self.scope = scope
        self.left = step

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self.task:
            self.left -= 1
            if self.left == 0:
                self.scope.cancel()


async def cancelled_at(step: int, deed: Callable[[], Awaitable[object]]) -> bool:
    """Whether the deed was done before its `step`-th checkpoint came."""
    with trio.CancelScope() as scope:
        instrument = CancelAtStep(trio.lowlevel.current_task(), scope, step)
        trio.lowlevel.add_instrument(instrument)
        if step == 0:
            scope.cancel()
        try:
            await deed()
        finally:
            trio.lowlevel.remove_instrument(instrument)
    return not scope.cancelled_caught


async def a_while(system: System) -> None:
    with trio.move_on_after(1):
        await system.wait()


NEW = Record().spec("new")
DEEDS: dict[str, Deed] = {
    "call": lambda system: system.ref("a").call(Echo("x"), timeout_s=5),
    "call in the control lane": lambda system: system.ref("a").call(Echo("x"), timeout_s=5, control=True),
    "cast": lambda system: system.ref("a").cast(Echo("x")),
    "children": lambda system: system.root.children(),
    "start": lambda system: system.root.start_child(NEW),
    "stop": lambda system: system.root.stop_child("a"),
    "kill": lambda system: system.root.kill_child("a"),
    "resume": lambda system: system.root.resume_child("b"),
    "restart": lambda system: system.root.restart_child("a"),
    "remove": lambda system: system.root.remove_child("c"),
    "wait": a_while,
}


@pytest.mark.parametrize("name", DEEDS)
@virtual
async def test_a_cancelled_deed_breaks_nothing(name: str) -> None:
    """Whoever asked is gone; the tree is whole, and the same deed done again succeeds."""
    step, done = 0, False
    while not done:
        record = Record()
        async with open_system(record.tree("a", "c"), on_event=record.on_event) as system:
            await system.root.start_child(record.spec("b", desired=Desired.STOPPED))
            done = await cancelled_at(step, partial(DEEDS[name], system))
            await trio.testing.wait_all_tasks_blocked()
            assert {info.status.value for info in await system.root.children()} <= {"running", "stopped"}
            ids = {info.id for info in await system.root.children()}
            if not (name == "remove" and "c" not in ids) and not (name == "start" and "new" in ids):
                await DEEDS[name](system)
            await system.root.resume_child("a")
            assert await system.ref("a").call(Echo("y"), timeout_s=5) == "y"
        starts = [text for text in record.texts if text.startswith("start")]
        stops = [text for text in record.texts if text.startswith("stop")]
        assert len(starts) == len(stops), "every incarnation was cleaned up after"
        step += 1
    assert step >= 2, "it has a checkpoint at least"


@virtual
async def test_entering_and_leaving_cancelled_at_every_checkpoint() -> None:
    """Whatever of the tree is up when the cancellation comes is stopped in order."""
    step, done = 0, False
    while not done:
        record = Record()
        for id in "ab":
            record.starting[id] = partial(trio.sleep, 1)
            record.stopping[id] = partial(trio.sleep, 1)

        async def whole(record: Record = record) -> None:
            async with open_system(record.tree("a", "b")) as system:
                await system.ref("a").call(Sleep(1), timeout_s=5)

        done = await cancelled_at(step, whole)
        up = [text[6:] for text in record.texts if text.startswith("start")]
        down = [text[5:6] for text in record.texts if text.startswith("stop")]
        assert down == [id for id in "ba" if id in down]
        assert set(down) >= set(up[:-1]), "all that were up were stopped"
        step += 1
    assert record.texts[-1] == "stop a: stopped"
