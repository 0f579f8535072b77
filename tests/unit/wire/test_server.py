"""The server against clients that are many, slow, rude or gone."""

import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from tests.unit.wire._serving import serving
from tmuxorc.errors import JournalError, NotFoundError
from tmuxorc.wire import server
from tmuxorc.wire._outbox import HIGH_WATER
from tmuxorc.wire.framing import MAX_LINE, MIB
from tmuxorc.wire.methods import (
    AGENT_INFO,
    DAEMON_STATUS,
    DAEMON_STOP,
    EVENT_FOLLOW,
    MESSAGE_SEND,
    PROTOCOL,
    Done,
    Empty,
    FollowEvents,
    MessageList,
    SendMessage,
    StopDaemon,
    Target,
)
from tmuxorc.wire.server import Session

HELLO_LINE = b'{"jsonrpc":"2.0","id":0,"method":"hello","params":{"protocol":%d,"version":"1"}}\n' % PROTOCOL


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("w") / "socket")


class Peer:
    """A client that speaks raw lines."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._rest = b""

    async def say(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def ask(self, request_id: object, method: str, **params: object) -> None:
        request = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        await self.say(json.dumps(request).encode() + b"\n")

    async def hear(self) -> Any:
        """The next line; None at the end."""
        while b"\n" not in self._rest:
            data = await self.stream.receive_some()
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)


@asynccontextmanager
async def peer(path: str, *, greet: bool = True) -> AsyncIterator[Peer]:
    """Connect, and greet unless told otherwise."""
    stream = await trio.open_unix_socket(path)
    async with stream:
        talking = Peer(stream)
        if greet:
            await talking.say(HELLO_LINE)
            assert (await talking.hear())["result"]["protocol"] == PROTOCOL
        yield talking


async def stop(params: StopDaemon, session: Session) -> Done:
    return Done(changed=params.agents)


def raising(error: BaseException) -> Callable[[Any, Session], Awaitable[object]]:
    async def handler(params: object, session: Session) -> object:
        raise error

    return handler


async def test_requests_of_one_client_run_side_by_side(path: str) -> None:
    release = trio.Event()

    async def wait(params: Target, session: Session) -> Done:
        await release.wait()
        return Done(changed=True, message=params.target)

    async def let_go(params: StopDaemon, session: Session) -> Done:
        release.set()
        return Done(changed=False)

    async with serving(path, {AGENT_INFO.name: wait, DAEMON_STOP.name: let_go}), peer(path) as client:
        await client.ask("a", "agent.info", target="x")
        await client.ask("b", "daemon.stop")
        assert {(await client.hear())["id"], (await client.hear())["id"]} == {"a", "b"}


async def test_a_client_that_goes_away_takes_its_requests_with_it_and_nobody_else_s(path: str) -> None:
    started, cancelled = trio.Event(), trio.Event()

    async def never(params: Empty, session: Session) -> None:
        started.set()
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    routes: dict[str, server.Handler] = {DAEMON_STATUS.name: never, DAEMON_STOP.name: stop}
    async with serving(path, routes), peer(path) as other:
        async with peer(path) as client:
            await client.ask(1, "daemon.status")
            await started.wait()
        await cancelled.wait()
        await other.ask(1, "daemon.stop")
        assert (await other.hear())["result"]["changed"] is False


async def test_a_handler_that_fails_while_it_is_cancelled_hurts_nobody(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    started = trio.Event()

    async def clumsy(params: Empty, session: Session) -> None:
        async def fail_when_cancelled() -> None:
            try:
                await trio.sleep_forever()
            finally:
                raise RuntimeError("clumsy cleanup")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail_when_cancelled)
            nursery.start_soon(trio.sleep_forever)
            started.set()

    routes: dict[str, server.Handler] = {DAEMON_STATUS.name: clumsy, DAEMON_STOP.name: stop}
    async with serving(path, routes), peer(path) as other:
        async with peer(path) as client:
            await client.ask(1, "daemon.status")
            await started.wait()
        await other.ask(1, "daemon.stop")
        assert (await other.hear())["id"] == 1


async def test_a_defect_is_answered_and_logged_with_its_traceback(path: str, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(path, {DAEMON_STATUS.name: raising(ZeroDivisionError("oops"))}), peer(path) as client:
        await client.ask(1, "daemon.status")
        error = (await client.hear())["error"]
        assert error["data"]["code"] == "internal"
        assert "ZeroDivisionError: oops" in error["message"]
        await client.ask(2, "daemon.status")
        assert (await client.hear())["id"] == 2
    assert caplog.records[0].levelno == logging.ERROR
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFoundError("no"), "not_found"),
        (ExceptionGroup("g", [JournalError("no")]), "journal"),
        (ExceptionGroup("g", [ExceptionGroup("h", [JournalError("no")]), NotFoundError("no")]), "journal"),
        (ExceptionGroup("g", [JournalError("no"), KeyError("defect")]), "internal"),
    ],
)
async def test_an_error_in_a_group_is_the_answer_unless_a_defect_is_in_it_too(
    path: str, error: Exception, code: str
) -> None:
    async with serving(path, {DAEMON_STATUS.name: raising(error)}), peer(path) as client:
        await client.ask(1, "daemon.status")
        assert (await client.hear())["error"]["data"]["code"] == code


async def test_a_result_that_cannot_be_sent_is_an_error(path: str) -> None:
    results: dict[str, object] = {"object": object(), "big": "x" * MAX_LINE, "text": "\udcff"}

    async def give(params: Target, session: Session) -> object:
        return results[params.target]

    async with serving(path, {AGENT_INFO.name: give}), peer(path) as client:
        for target, code in [("object", "internal"), ("big", "too_large"), ("text", "not_unicode")]:
            await client.ask(target, "agent.info", target=target)
            answer = await client.hear()
            assert (answer["id"], answer["error"]["data"]["code"]) == (target, code)


BAD_LINES = [
    (b"nonsense\n", None, -32700),
    (b"\xff\xfe\n", None, -32700),
    (b'{"params":' + b"[" * 100_000 + b"\n", None, -32700),
    (b'[{"jsonrpc":"2.0","id":1,"method":"daemon.stop"}]\n', None, -32600),
    (b'{"jsonrpc":"1.0","id":5,"method":"daemon.stop"}\n', 5, -32600),
    (b'{"jsonrpc":"2.0","id":5,"method":7}\n', 5, -32600),
    (b'{"jsonrpc":"2.0","id":6,"method":"no.such"}\n', 6, -32601),
    (b'{"jsonrpc":"2.0","id":7,"method":"daemon.stop","params":{"agents":"yes"}}\n', 7, -32602),
    (b'{"jsonrpc":"2.0","id":8,"method":"daemon.stop","params":{"agent":true}}\n', 8, -32602),
    (b'{"jsonrpc":"2.0","id":9,"method":"daemon.stop","params":[1]}\n', 9, -32602),
    (b"x" * (MAX_LINE + 1) + b"\n", None, -32000),
]


@pytest.mark.parametrize(("line", "request_id", "code"), BAD_LINES, ids=lambda value: str(value)[:30])
async def test_a_bad_line_is_answered_and_the_connection_lives(
    path: str, line: bytes, request_id: object, code: int
) -> None:
    async with serving(path, {DAEMON_STOP.name: stop}), peer(path) as client:
        await client.say(line)
        answer = await client.hear()
        assert (answer["id"], answer["error"]["code"]) == (request_id, code)
        await client.ask(99, "daemon.stop", agents=True)
        assert (await client.hear())["result"]["changed"] is True


async def test_sixteen_mebibytes_go_both_ways(path: str) -> None:
    async def echo(params: SendMessage, session: Session) -> Done:
        return Done(changed=True, message=params.text)

    text = "x" * (16 * MIB)
    async with serving(path, {MESSAGE_SEND.name: echo}), peer(path) as client:
        await client.ask(1, "message.send", target="a", text=text)
        assert (await client.hear())["result"]["message"] == text


async def test_nothing_is_done_before_the_greeting_nor_after_a_mismatch(path: str) -> None:
    async with serving(path, {DAEMON_STOP.name: stop}):
        async with peer(path, greet=False) as client:
            await client.ask(1, "daemon.stop")
            assert (await client.hear())["error"]["data"]["code"] == "no_greeting"
        async with peer(path, greet=False) as client:
            await client.ask(0, "hello", protocol=PROTOCOL + 1, version="9", mood="a field of a newer protocol")
            await client.ask(1, "daemon.stop")
            codes = [(await client.hear())["error"]["data"]["code"] for _ in range(2)]
            assert codes == ["protocol_mismatch", "protocol_mismatch"]


async def test_a_client_that_does_not_read_holds_up_only_itself(path: str) -> None:
    """Its stream stops after a bounded amount; others get their answers as before."""
    sent = 0
    item = "x" * 10_000

    async def flood(params: FollowEvents, session: Session) -> None:
        nonlocal sent
        while True:
            await session.notify(item)
            sent += len(item)

    async def echo(params: SendMessage, session: Session) -> MessageList:
        return MessageList(messages=())

    routes = {EVENT_FOLLOW.name: flood, MESSAGE_SEND.name: echo}
    async with serving(path, routes), peer(path) as slow, peer(path) as quick:
        await slow.ask(1, "event.follow")
        for number in range(200):
            await quick.ask(number, "message.send", target="a", text="b")
            assert (await quick.hear())["id"] == number
        assert sent < 4 * HIGH_WATER
        assert (await slow.hear())["params"]["item"] == item


async def test_a_client_that_asks_without_reading_is_not_read_either(path: str) -> None:
    """Requests whose answers nobody takes stay in the client's own socket, not in our memory."""
    answered = 0

    async def big(params: Empty, session: Session) -> str:
        nonlocal answered
        answered += 1
        return "x" * 100_000

    async with serving(path, {DAEMON_STATUS.name: big}), peer(path) as client:
        with trio.move_on_after(0.5) as scope:
            for number in range(100_000):
                await client.ask(number, "daemon.status")
        assert scope.cancelled_caught
        assert answered * 100_000 < HIGH_WATER + (server.MAX_REQUESTS + 64) * 100_000


async def test_too_many_requests_under_way_are_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(params: Empty, session: Session) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr(server, "MAX_REQUESTS", 3)
    async with serving(path, {DAEMON_STATUS.name: never}), peer(path) as client:
        for number in range(4):
            await client.ask(number, "daemon.status")
        answer = await client.hear()
        assert (answer["id"], answer["error"]["data"]["code"]) == (3, "too_many_requests")


async def test_a_stopping_server_answers_what_is_under_way_and_hangs_up(path: str) -> None:
    started = trio.Event()

    async def never(params: Empty, session: Session) -> None:
        started.set()
        await trio.sleep_forever()

    async with serving(path, {DAEMON_STATUS.name: never}) as serving_scope, peer(path) as client:
        await client.ask(1, "daemon.status")
        await started.wait()
        serving_scope.cancel()
        with trio.CancelScope(shield=True), trio.fail_after(5):
            assert (await client.hear())["error"]["data"]["code"] == "stopping"
            assert await client.hear() is None


async def test_the_answer_to_the_request_that_stops_the_server_arrives(path: str) -> None:
    async with trio.open_nursery() as nursery:
        shutdown = trio.Event()

        async def stopping(params: StopDaemon, session: Session) -> Done:
            shutdown.set()
            return Done(changed=True)

        async def run() -> None:
            async with serving(path, {DAEMON_STOP.name: stopping}) as scope:
                ready.set()
                await shutdown.wait()
                scope.cancel()

        ready = trio.Event()
        nursery.start_soon(run)
        await ready.wait()
        async with peer(path) as client:
            await client.ask(1, "daemon.stop")
            assert (await client.hear())["result"]["changed"] is True


async def test_a_stopping_server_does_not_wait_for_a_client_that_reads_nothing(path: str) -> None:
    async def flood(params: FollowEvents, session: Session) -> None:
        while True:
            await session.notify("x" * 100_000)

    with trio.fail_after(server.FLUSH_S + 5):
        async with serving(path, {EVENT_FOLLOW.name: flood}) as scope, peer(path) as client:
            await client.ask(1, "event.follow")
            assert await client.hear()
            scope.cancel()


async def test_another_user_is_turned_away(path: str) -> None:
    async with serving(path, {DAEMON_STOP.name: stop}, uid=os.geteuid() + 1), peer(path, greet=False) as client:
        assert await client.hear() is None


async def test_clients_that_come_and_go_leave_nothing_behind(path: str) -> None:
    async with serving(path, {DAEMON_STOP.name: stop}):
        before = len(os.listdir("/proc/self/fd"))
        for number in range(100):
            async with peer(path, greet=bool(number % 2)) as client:
                await client.say(b'{"half a line')
        async with peer(path) as client:
            await client.ask(1, "daemon.stop")
            await client.hear()
        await trio.testing.wait_all_tasks_blocked()
        assert len(os.listdir("/proc/self/fd")) <= before
