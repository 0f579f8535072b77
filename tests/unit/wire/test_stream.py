"""The trio client."""

import os
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from tests.unit.wire._serving import HELLO_REPLY, serving
from tmuxorc.errors import NotFoundError, RemoteError, UnreachableError
from tmuxorc.model import TeamSpec
from tmuxorc.wire.client import ForeignSupervisorError
from tmuxorc.wire.codec import ProtocolMismatchError
from tmuxorc.wire.methods import (
    DAEMON_STOP,
    PROTOCOL,
    TEAM_APPLY,
    ApplyTeam,
    Done,
    HelloReply,
    Plan,
    PlanStep,
    StopDaemon,
)
from tmuxorc.wire.server import Handler, Session
from tmuxorc.wire.stream import open_stream

STEPS = tuple(PlanStep(action="start", subject=f"main/{number}", why="new") for number in range(3))
APPLY = ApplyTeam(spec=TeamSpec(name="main"), agents=())
PLAN = Plan(team="main", steps=STEPS, applied=True)


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("w") / "socket")


async def apply(params: ApplyTeam, session: Session) -> Plan:
    for step in STEPS:
        await session.notify(step)
    return PLAN


async def stop(params: StopDaemon, session: Session) -> Done:
    return Done(changed=params.agents, message=session.client)


ROUTES: dict[str, Handler] = {TEAM_APPLY.name: apply, DAEMON_STOP.name: stop}


async def test_a_stream_gives_its_objects_and_then_its_result(path: str) -> None:
    async with serving(path, ROUTES), open_stream(path) as connection:
        items = connection.stream(TEAM_APPLY, APPLY)
        with pytest.raises(RuntimeError, match="not ended"):
            _ = items.result
        assert tuple([item async for item in items]) == STEPS
        assert items.result == PLAN
        assert [item async for item in items] == []


async def test_requests_follow_one_another_on_one_connection(path: str) -> None:
    async with serving(path, ROUTES), open_stream(path, client="me") as connection:
        assert connection.hello is None
        assert await connection.call(TEAM_APPLY, APPLY) == PLAN
        assert connection.hello == HELLO_REPLY
        assert await connection.call(DAEMON_STOP, StopDaemon(agents=True)) == Done(changed=True, message="me")


async def test_objects_come_as_they_are_sent_not_at_the_end(path: str) -> None:
    seen = trio.Event()

    async def one_by_one(params: ApplyTeam, session: Session) -> Plan:
        await session.notify(STEPS[0])
        await seen.wait()
        return PLAN

    async with serving(path, {TEAM_APPLY.name: one_by_one}), open_stream(path) as connection:
        async for item in connection.stream(TEAM_APPLY, APPLY):
            assert item == STEPS[0]
            seen.set()


async def test_an_error_ends_the_stream_and_the_connection_lives(path: str) -> None:
    async def fail(params: ApplyTeam, session: Session) -> Plan:
        await session.notify(STEPS[0])
        raise NotFoundError("no team")

    async with serving(path, ROUTES | {TEAM_APPLY.name: fail}), open_stream(path) as connection:
        with pytest.raises(RemoteError, match="no team"):
            await connection.call(TEAM_APPLY, APPLY)
        assert (await connection.call(DAEMON_STOP, StopDaemon())).changed is False


async def test_leaving_the_block_cancels_what_is_under_way(path: str) -> None:
    cancelled = trio.Event()

    async def never(params: ApplyTeam, session: Session) -> None:
        await session.notify(STEPS[0])
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    async with serving(path, {TEAM_APPLY.name: never}):
        async with open_stream(path) as connection:
            async for _ in connection.stream(TEAM_APPLY, APPLY):
                break
        await cancelled.wait()


async def test_another_protocol_is_told_apart(path: str) -> None:
    other = HelloReply(protocol=PROTOCOL + 1, version="9", instance="x", pid=1)
    async with serving(path, ROUTES, hello=other), open_stream(path) as connection:
        with pytest.raises(ProtocolMismatchError):
            await connection.call(DAEMON_STOP, StopDaemon())


async def test_a_server_that_goes_away_is_unreachable(path: str) -> None:
    connected, stop_it, stopped = trio.Event(), trio.Event(), trio.Event()

    async def serve_a_while() -> None:
        async with serving(path, ROUTES) as scope:
            connected.set()
            await stop_it.wait()
            scope.cancel()
        stopped.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_a_while)
        await connected.wait()
        async with open_stream(path) as connection:
            await connection.call(DAEMON_STOP, StopDaemon())
            stop_it.set()
            await stopped.wait()
            with pytest.raises(UnreachableError, match="went away"):
                await connection.call(DAEMON_STOP, StopDaemon())


@pytest.mark.parametrize("bad", ["/nonexistent", "/dev/null", "/" + "x" * 200])
async def test_nothing_there_is_unreachable(bad: str) -> None:
    with pytest.raises(UnreachableError):
        async with open_stream(bad):
            pytest.fail("connected to nothing")


class CancelAt(trio.abc.Instrument):
    """Cancel `scope` when the current task is about to take its step number `step`."""

    def __init__(self, step: int) -> None:
        self._left = step
        self._task = trio.lowlevel.current_task()
        self.scope = trio.CancelScope()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._left -= task is self._task
        if self._left == 0:
            self.scope.cancel()


async def cancel_at_every_step(operation: Callable[[], Awaitable[object]]) -> int:
    """Run `operation` again and again, cancelled one step later each time; returns how many runs were cut short."""
    for step in range(1, 200):
        instrument = CancelAt(step)
        trio.lowlevel.add_instrument(instrument)
        with instrument.scope:
            await operation()
        trio.lowlevel.remove_instrument(instrument)
        if not instrument.scope.cancelled_caught:
            return step - 1
    raise AssertionError("the operation never ends")


async def test_a_client_cancelled_at_any_step_leaves_client_and_server_sound(path: str) -> None:
    async def operation() -> None:
        async with open_stream(path) as connection:
            assert await connection.call(TEAM_APPLY, APPLY) == PLAN

    async with serving(path, ROUTES):
        assert await cancel_at_every_step(operation) >= 3
        await operation()


async def test_a_server_cancelled_at_any_step_can_be_started_again(path: str) -> None:
    async def operation() -> None:
        async with serving(path, ROUTES), open_stream(path) as connection:
            assert await connection.call(TEAM_APPLY, APPLY) == PLAN

    assert await cancel_at_every_step(operation) >= 3
    await operation()


async def test_nothing_is_said_to_another_users_supervisor(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = os.geteuid()
    async with serving(path, {}, uid=theirs):
        monkeypatch.setattr(os, "geteuid", lambda: theirs + 1)
        with pytest.raises(ForeignSupervisorError):
            async with open_stream(path):
                raise AssertionError("unreachable")
