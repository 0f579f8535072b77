"""The parts without which nothing works come back by themselves."""

from typing import Any, cast

import trio

from tests.support import Home
from tmuxorc.actors import Actor, SupervisorSpec, open_system
from tmuxorc.actors.root import root_spec
from tmuxorc.actors.services import Services
from tmuxorc.agents import load_kinds
from tmuxorc.config import Settings
from tmuxorc.journal import NewMessage
from tmuxorc.paths import find_paths

MESSAGE = NewMessage(sender="operator", target="main/alice", text="hello")


async def test_a_journal_whose_thread_has_ended_is_opened_anew(home: Home) -> None:
    """And what was in it is still there."""
    paths = find_paths()
    paths.make_state_dir()
    services = Services(paths, Settings(), load_kinds())
    journal_only = root_spec(services, Actor).children[:1]
    ended = trio.Event()
    restarted = trio.Event()

    def on_event(event: object) -> None:
        if type(event).__name__ == "ChildExited":
            ended.set()
        elif type(event).__name__ == "ChildStarted" and ended.is_set():
            restarted.set()

    with trio.fail_after(20):
        async with open_system(SupervisorSpec(children=journal_only), on_event=on_event):
            first = services.journal
            await first.accept((MESSAGE,))
            first._worker._requests.put(cast("Any", "not a request"))
            await restarted.wait()
            assert services.journal is not first
            assert [message.id for message in await services.journal.accept((MESSAGE,))] == ["m-2"]
