"""The blocking client against the real server and against peers that misbehave."""

import functools
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trio

from tests.unit.wire._serving import HELLO_REPLY, serving
from tmuxorc.errors import NotFoundError, RemoteError, RemoteProtocolError, TimedOutError, UnreachableError
from tmuxorc.model import AgentSpec, Restart
from tmuxorc.wire.client import Client, ForeignSupervisorError
from tmuxorc.wire.codec import NotUnicodeError, ProtocolMismatchError, TooLargeError
from tmuxorc.wire.framing import MAX_LINE, MIB
from tmuxorc.wire.methods import (
    AGENT_INFO,
    DAEMON_STATUS,
    DAEMON_STOP,
    MESSAGE_SEND,
    PROTOCOL,
    TEAM_APPLY,
    Done,
    Empty,
    HelloReply,
    Plan,
    PlanStep,
    SendMessage,
    Sent,
    StopDaemon,
    Target,
)
from tmuxorc.wire.methods import ApplyTeam as Apply
from tmuxorc.wire.server import Session


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("w") / "socket")


async def in_thread(function: Callable[[], Any]) -> Any:
    return await trio.to_thread.run_sync(function)


async def stop(params: StopDaemon, session: Session) -> Done:
    return Done(changed=params.agents, message=session.client)


async def test_a_call_is_one_round_trip_with_typed_parameters_and_result(path: str) -> None:
    def talk() -> tuple[Done, HelloReply | None]:
        with Client.connect(path, client="test") as client:
            return client.call(DAEMON_STOP, StopDaemon(agents=True)), client.hello

    async with serving(path, {DAEMON_STOP.name: stop}):
        assert await in_thread(talk) == (Done(changed=True, message="test"), HELLO_REPLY)


async def test_one_connection_carries_several_calls_and_survives_an_error(path: str) -> None:
    def talk() -> list[bool]:
        with Client.connect(path) as client:
            first = client.call(DAEMON_STOP, StopDaemon(agents=True)).changed
            with pytest.raises(RemoteError):
                client.call(DAEMON_STATUS, Empty())
            return [first, client.call(DAEMON_STOP, StopDaemon()).changed]

    async with serving(path, {DAEMON_STOP.name: stop}):
        assert await in_thread(talk) == [True, False]


async def test_an_error_keeps_its_code_status_hint_and_details(path: str) -> None:
    async def info(params: Target, session: Session) -> None:
        raise NotFoundError(f"no agent {params.target}", hint="see list", details={"near": ["bob"]})

    def talk() -> RemoteError:
        with Client.connect(path) as client, pytest.raises(RemoteError) as caught:
            client.call(AGENT_INFO, Target(target="b\nöb"))
        return caught.value

    async with serving(path, {AGENT_INFO.name: info}):
        error = await in_thread(talk)
    assert (error.code, error.message, int(error.exit_status)) == ("not_found", "no agent b\nöb", 3)
    assert (error.hint, error.details) == ("see list", {"near": ["bob"]})


async def test_objects_of_a_stream_reach_on_item_before_the_result(path: str) -> None:
    steps = [PlanStep(action="start", subject=f"main/{n}", why="new") for n in range(3)]

    async def apply(params: Apply, session: Session) -> Plan:
        for step in steps:
            await session.notify(step)
        return Plan(team=params.spec.name, steps=tuple(steps), applied=True)

    def talk() -> tuple[list[PlanStep], Plan]:
        seen: list[PlanStep] = []
        with Client.connect(path) as client:
            return seen, client.call(TEAM_APPLY, request, on_item=seen.append)

    spec = AgentSpec(name="a", restart=Restart.PERMANENT, env={"A": "1"})
    request = Apply(spec={"name": "main"}, agents=(spec,))  # type: ignore[arg-type]
    async with serving(path, {TEAM_APPLY.name: apply}):
        assert await in_thread(talk) == (steps, Plan(team="main", steps=tuple(steps), applied=True))


async def test_sixteen_mebibytes_go_through_and_come_back(path: str) -> None:
    text = "ä" * (8 * MIB)
    got: list[str] = []

    async def send(params: SendMessage, session: Session) -> Sent:
        got.append(params.text)
        return Sent.of(())

    def talk() -> Sent:
        with Client.connect(path) as client:
            return client.call(MESSAGE_SEND, SendMessage(target="a", text=text))

    async with serving(path, {MESSAGE_SEND.name: send}):
        assert await in_thread(talk) == Sent.of(())
    assert got == [text]


async def test_what_cannot_be_sent_is_refused_before_sending_and_the_client_stays_usable(path: str) -> None:
    def talk() -> bool:
        with Client.connect(path) as client:
            with pytest.raises(TooLargeError, match="above the limit"):
                client.call(MESSAGE_SEND, SendMessage(target="a", text="x" * MAX_LINE))
            with pytest.raises(NotUnicodeError, match=r"\\udcff"):
                client.call(MESSAGE_SEND, SendMessage(target="a", text="x\udcff"))
            return client.call(DAEMON_STOP, StopDaemon(agents=True)).changed

    async with serving(path, {DAEMON_STOP.name: stop}):
        assert await in_thread(talk)


@pytest.mark.parametrize("protocol", [PROTOCOL - 1, PROTOCOL + 1])
async def test_a_supervisor_of_another_protocol_is_told_apart_and_nothing_is_done(path: str, protocol: int) -> None:
    done: list[StopDaemon] = []

    async def record(params: StopDaemon, session: Session) -> Done:
        done.append(params)
        return Done(changed=True)

    def talk() -> ProtocolMismatchError:
        with Client.connect(path) as client, pytest.raises(ProtocolMismatchError) as caught:
            client.call(DAEMON_STOP, StopDaemon(agents=True))
        return caught.value

    other = HelloReply(protocol=protocol, version="0.0.7", instance="test", pid=1)
    async with serving(path, {DAEMON_STOP.name: record}, hello=other):
        error = await in_thread(talk)
    assert not done
    assert isinstance(error, RemoteProtocolError)
    assert error.code == "protocol_mismatch"
    assert "tmux-orc daemon restart" in error.hint
    assert error.details == {"server_protocol": protocol, "server_version": "0.0.7", "server_pid": 1}


async def test_a_call_gives_up_at_its_deadline_and_hangs_up(path: str) -> None:
    cancelled = trio.Event()

    async def never(params: Empty, session: Session) -> None:
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    def talk() -> None:
        client = Client.connect(path)
        with pytest.raises(TimedOutError, match=r"daemon\.status within 0\.05 s"):
            client.call(DAEMON_STATUS, Empty(), timeout_s=0.05)

    async with serving(path, {DAEMON_STATUS.name: never}):
        await in_thread(talk)
        await cancelled.wait()


def test_nothing_there_is_unreachable_with_a_hint(path: str) -> None:
    with pytest.raises(UnreachableError, match="no supervisor is running") as caught:
        Client.connect(path)
    assert caught.value.hint == "start it with: tmux-orc daemon start"
    assert int(caught.value.exit_status) == 7


def test_a_socket_nobody_listens_on_is_unreachable(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    with pytest.raises(UnreachableError, match="no supervisor is running"):
        Client.connect(path)


@pytest.mark.parametrize("bad", ["/dev/null", "/" + "x" * 200, "/proc/version"])
def test_a_path_that_is_no_socket_is_unreachable(bad: str) -> None:
    with pytest.raises(UnreachableError):
        Client.connect(bad)


def test_a_full_backlog_is_waited_for_and_then_unreachable(path: str) -> None:
    """A stopped supervisor whose queue is full must neither fail at once nor hang."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        waiting = Client.connect(path)
        with pytest.raises(UnreachableError, match="does not answer"):
            Client.connect(path, timeout_s=0.05)
        waiting.close()


@contextmanager
def scripted(path: str, answer: bytes) -> Iterator[None]:
    """A peer that reads one chunk, answers with fixed bytes and hangs up."""

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        thread = threading.Thread(target=run)
        thread.start()
        yield
        thread.join(10)


HELLO_LINE = b'{"jsonrpc":"2.0","id":0,"result":{"protocol":%d,"version":"1","instance":"x","pid":1}}\n' % PROTOCOL

NONSENSE = {
    "not json": b"hello\n",
    "binary": b"\xff\x00\xfe\n",
    "deep": b"[" * 5000 + b"\n",
    "a number": b"3\n",
    "no result": HELLO_LINE + b'{"id":1}\n',
    "wrong type": HELLO_LINE + b'{"id":1,"result":{"changed":"yes"}}\n',
    "bad greeting": b'{"id":0,"result":{}}\n',
    "bad progress": b'{"method":"x","params":{}}\n',
}


@pytest.mark.parametrize("what", sorted(NONSENSE))
def test_nonsense_from_the_peer_is_a_protocol_error(path: str, what: str) -> None:
    with scripted(path, NONSENSE[what]), Client.connect(path) as client, pytest.raises(RemoteProtocolError):
        client.call(DAEMON_STOP, StopDaemon())


@pytest.mark.parametrize("answer", [b"", HELLO_LINE, HELLO_LINE + b'{"id":1,"resu'])
def test_a_peer_that_goes_away_is_unreachable(path: str, answer: bytes) -> None:
    with scripted(path, answer), Client.connect(path) as client, pytest.raises(UnreachableError, match="went away"):
        client.call(DAEMON_STOP, StopDaemon())


def test_an_unknown_exit_status_of_a_newer_peer_becomes_failed(path: str) -> None:
    data = b'{"code":"new","exit_status":99,"hint":"h"}'
    answer = HELLO_LINE + b'{"id":1,"error":{"code":-32000,"message":"no","data":' + data + b"}}\n"
    with scripted(path, answer), Client.connect(path) as client, pytest.raises(RemoteError) as caught:
        client.call(DAEMON_STOP, StopDaemon())
    assert (caught.value.code, int(caught.value.exit_status)) == ("new", 1)


async def test_many_clients_at_once_each_get_their_own_answer(path: str) -> None:
    async def echo(params: Target, session: Session) -> object:
        await trio.lowlevel.checkpoint()
        raise NotFoundError(params.target)

    def talk(name: str) -> str:
        with Client.connect(path) as client, pytest.raises(RemoteError) as caught:
            client.call(AGENT_INFO, Target(target=name))
        return caught.value.message

    got: dict[str, str] = {}

    async def one(name: str) -> None:
        got[name] = await in_thread(functools.partial(talk, name))

    async with serving(path, {AGENT_INFO.name: echo}), trio.open_nursery() as nursery:
        for number in range(30):
            nursery.start_soon(one, f"agent-{number}")
    assert len(got) == 30
    assert all(name == answer for name, answer in got.items())


async def test_nothing_is_said_to_another_users_supervisor(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In /tmp another user may have made our directory first: what they hear, and what they answer, matters."""
    heard: list[StopDaemon] = []

    async def listen(params: StopDaemon, session: Session) -> Done:
        heard.append(params)
        return Done(changed=True)

    def talk() -> None:
        with Client.connect(path) as client:
            client.call(DAEMON_STOP, StopDaemon())

    theirs = os.geteuid()
    async with serving(path, {DAEMON_STOP.name: listen}, uid=theirs):
        monkeypatch.setattr(os, "geteuid", lambda: theirs + 1)
        with pytest.raises(ForeignSupervisorError, match=f"is user {theirs}'s, not yours"):
            await in_thread(talk)
    assert heard == []
