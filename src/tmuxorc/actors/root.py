"""The supervisor's tree: journal, then tmux and the teams that need it, then the socket."""

import logging
from collections.abc import Callable

import trio

from tmuxorc.actors import Actor, ActorContext, Backoff, ChildSpec, Supervisor, SupervisorSpec
from tmuxorc.actors._holding import Holding
from tmuxorc.actors.services import Services
from tmuxorc.actors.team import TEAM_TIMEOUT_S, teams_spec
from tmuxorc.actors.tmux import TmuxActor
from tmuxorc.errors import JournalError
from tmuxorc.journal import Journal, Snapshot, open_journal
from tmuxorc.model import Restart, Strategy

log = logging.getLogger(__name__)

FOREVER = 1_000_000
"""Of parts without which nothing works there is no giving up: they are tried again, ever more slowly."""

LAST_WORDS_S = 3.0
"""How long a journal that is being closed takes events that are not written yet."""

PART_BACKOFF = Backoff(base_s=0.1, cap_s=5.0, jitter=0.1, stable_after_s=30.0, max_streak=FOREVER, immediate=1)


class JournalActor(Holding):
    """Holds the journal open, loads the roster from it the first time, and writes the events."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services

    async def start(self, ctx: ActorContext) -> None:
        """The first part to start: from here on the others can be found."""
        self.services.system_or_none = ctx.system
        await super().start(ctx)

    async def hold(self, ready: Callable[[], None]) -> None:
        """Open, load, write events until cancelled, then write what is left."""
        services = self.services
        async with open_journal(services.paths.journal, services.settings.journal) as journal:
            if not services.loaded:
                load(services, await journal.load())
            services.journal_or_none = journal
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(services.events.run, journal)
                    nursery.start_soon(services.keeper.run, journal)
                    nursery.start_soon(services.post.expire, journal)
                    nursery.start_soon(journal.wait_lost)
                    ready()
            finally:
                services.journal_or_none = None
                with trio.move_on_after(LAST_WORDS_S, shield=True):
                    await _write_rest(services, journal)


async def _write_rest(services: Services, journal: Journal) -> None:
    await services.events.write_rest(journal)
    try:
        await services.keeper.write_rest(journal)
    except JournalError as error:
        log.error("the last runs were not journaled: %s", error)


def load(services: Services, snapshot: Snapshot) -> None:
    """Fill roster and post with what the journal remembers; the events behind it are in the journal already."""
    services.roster.restore(snapshot.teams, snapshot.agents)
    services.events.last_seq = snapshot.last_seq
    services.post.restore(snapshot.messages)
    services.loaded = True


def root_spec(services: Services, socket: Callable[[], Actor]) -> SupervisorSpec:
    """The whole tree; `socket` makes the actor that answers clients."""
    return SupervisorSpec(
        strategy=Strategy.ONE_FOR_ONE,
        intensity=FOREVER,
        period_s=1.0,
        children=(
            _part("journal", lambda: JournalActor(services)),
            _part("core", lambda: Supervisor(_core_spec(services)), shutdown_s=TEAM_TIMEOUT_S),
            _part("socket", socket),
        ),
    )


def _core_spec(services: Services) -> SupervisorSpec:
    return SupervisorSpec(
        strategy=Strategy.REST_FOR_ONE,
        intensity=FOREVER,
        period_s=1.0,
        children=(
            _part("tmux", lambda: TmuxActor(services)),
            _part("teams", lambda: Supervisor(teams_spec(services)), shutdown_s=TEAM_TIMEOUT_S),
        ),
    )


def _part(id: str, make: Callable[[], Actor], *, shutdown_s: float = 10.0) -> ChildSpec:
    async def start() -> Actor:
        return make()

    return ChildSpec(
        id=id,
        start=start,
        restart=Restart.PERMANENT,
        shutdown_s=shutdown_s,
        start_timeout_s=max(60.0, shutdown_s),
        backoff=PART_BACKOFF,
    )
