"""Writes to the journal what is known of agents' runs and of teams' wishes, for parts that cannot wait for the disk."""

import trio

from tmuxorc.actors._grudge import RETRY_S, Grudge
from tmuxorc.actors.roster import Roster
from tmuxorc.errors import JournalError, NotFoundError
from tmuxorc.journal import Journal


class Keeper:
    """`note_…` says whose line in the roster has changed; `run` is the task that writes it, as it is by then."""

    def __init__(self, roster: Roster, grudge: Grudge) -> None:
        self._roster = roster
        self._grudge = grudge
        self._runs: set[str] = set()
        self._wishes: set[str] = set()
        self._wake = trio.Event()

    def note_run(self, address: str) -> None:
        """The agent's process has started or ended."""
        self._runs.add(address)
        self._wake.set()

    def note_wish(self, subject: str) -> None:
        """What is wanted of an agent (``team/name``) or a team has changed without an operator's request."""
        self._wishes.add(subject)
        self._wake.set()

    async def run(self, journal: Journal) -> None:
        """Write what is noted until cancelled."""
        while True:
            while self._runs or self._wishes:
                await self._write(journal)
            self._wake = trio.Event()
            await self._wake.wait()

    async def _write(self, journal: Journal) -> None:
        try:
            await self.write_rest(journal)
        except JournalError as error:
            self._grudge.refused(error)
            await trio.sleep(RETRY_S)

    async def write_rest(self, journal: Journal) -> None:
        """Write what is noted; what the journal refuses stays noted, and its `JournalError` is raised."""
        failures: list[JournalError] = []
        async with trio.open_nursery() as nursery:
            # At once, so that they share a transaction.
            for address in tuple(self._runs):
                nursery.start_soon(self._write_one, journal, self._runs, address, failures)
            for subject in tuple(self._wishes):
                nursery.start_soon(self._write_one, journal, self._wishes, subject, failures)
        if failures:
            raise failures[0]

    async def _write_one(self, journal: Journal, noted: set[str], subject: str, failures: list[JournalError]) -> None:
        noted.discard(subject)
        try:
            await (self._write_run if noted is self._runs else self._write_wish)(journal, subject)
        except NotFoundError:
            pass  # it was removed meanwhile
        except JournalError as error:
            noted.add(subject)
            failures.append(error)
        except trio.Cancelled:
            noted.add(subject)
            raise

    async def _write_run(self, journal: Journal, address: str) -> None:
        row = self._roster.agent(address)
        await journal.record_run(
            address,
            pane=row.pane,
            pid=row.pid,
            generation=row.generation,
            restarts=row.restarts,
            last_exit=row.last_exit,
            session=row.session,
        )

    async def _write_wish(self, journal: Journal, subject: str) -> None:
        row = self._roster.agent(subject) if "/" in subject else self._roster.team(subject)
        await journal.set_desired((subject,), row.desired)
