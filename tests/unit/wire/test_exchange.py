"""The client's half of a connection, without any I/O."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.errors import RemoteError, RemoteProtocolError
from tmuxorc.wire.exchange import Answer, Exchange, Item
from tmuxorc.wire.methods import (
    DAEMON_STOP,
    EVENT_FOLLOW,
    PROTOCOL,
    TEAM_APPLY,
    Done,
    EventList,
    FollowEvents,
    PlanStep,
    StopDaemon,
)

HELLO = b'{"jsonrpc":"2.0","id":0,"result":{"protocol":%d,"version":"1","instance":"x","pid":1}}\n' % PROTOCOL
STOPPED = b'{"jsonrpc":"2.0","id":1,"result":{"changed":true,"message":""}}\n'


def asked() -> Exchange:
    exchange = Exchange("test")
    exchange.ask(DAEMON_STOP, StopDaemon())
    return exchange


def test_the_greeting_goes_with_the_first_request_only() -> None:
    exchange = Exchange("test")
    first = [msgspec.json.decode(line) for line in exchange.ask(DAEMON_STOP, StopDaemon()).splitlines()]
    assert [(line["id"], line["method"]) for line in first] == [(0, "hello"), (1, "daemon.stop")]
    assert first[0]["params"]["client"] == "test"
    exchange.receive(HELLO + STOPPED)
    assert isinstance(exchange.next_event(), Answer)
    [second] = exchange.ask(DAEMON_STOP, StopDaemon()).splitlines()
    assert msgspec.json.decode(second)["id"] == 2


@given(st.lists(st.integers(1, 20), max_size=20))
def test_chunks_make_no_difference(cuts: list[int]) -> None:
    exchange, data, events = asked(), HELLO + STOPPED, []
    for cut in [*cuts, len(data)]:
        exchange.receive(data[:cut])
        data = data[cut:]
        while event := exchange.next_event():
            events.append(event)
    assert [event.value for event in events] == [Done(changed=True)]


def test_objects_of_the_stream_are_typed_and_those_of_others_passed_over() -> None:
    exchange = Exchange("test")
    exchange.ask(TEAM_APPLY, TEAM_APPLY.params(spec={"name": "t"}, agents=()))
    item = b'{"action":"a","subject":"s","why":"w"}'
    step = b'{"jsonrpc":"2.0","method":"team.apply","params":{"request":%d,"item":' + item + b"}}\n"
    exchange.receive(HELLO + step % 5 + step % 1)
    event = exchange.next_event()
    assert isinstance(event, Item)
    assert event.value == PlanStep(action="a", subject="s", why="w")
    assert exchange.next_event() is None


def test_a_late_answer_to_an_earlier_request_is_dropped() -> None:
    exchange = asked()
    exchange.receive(HELLO + b'{"id":1,"error":{"code":1,"message":"no"}}\n')
    with pytest.raises(RemoteError, match="no"):
        exchange.next_event()
    exchange.ask(EVENT_FOLLOW, FollowEvents())
    exchange.receive(STOPPED + b'{"id":2,"result":{"events":[],"last_seq":7}}\n')
    event = exchange.next_event()
    assert isinstance(event, Answer)
    assert event.value == EventList(events=(), last_seq=7)


def test_an_error_without_an_id_ends_the_request() -> None:
    """As the server answers a line it could not read."""
    exchange = asked()
    exchange.receive(b'{"id":null,"error":{"code":-32700,"message":"too long"}}\n')
    with pytest.raises(RemoteError, match="too long"):
        exchange.next_event()


@given(st.binary(max_size=60))
def test_whatever_comes_back_is_an_event_or_one_of_our_errors(data: bytes) -> None:
    exchange = asked()
    exchange.receive(HELLO + data + b"\n")
    with suppress(RemoteProtocolError, RemoteError):
        assert exchange.next_event() is None
