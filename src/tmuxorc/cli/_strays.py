"""Panes that carry our mark and are no agent's: what a lost journal leaves behind, running and unseen."""

import os
import subprocess

from tmuxorc.cli._app import App
from tmuxorc.errors import TimedOutError, UnreachableError
from tmuxorc.model import Frozen
from tmuxorc.tmux import unpack
from tmuxorc.wire.methods import AGENT_LIST, ListAgents

FIELDS = "#{pane_id} #{@tmuxorc_instance} #{@tmuxorc_agent}"
ASK_S = 5.0
AT_MOST = 3


class Stray(Frozen):
    """A pane, and the agent that it was."""

    pane_id: str
    address: str

    def __str__(self) -> str:
        return f"{self.pane_id} (was {self.address})"


def strays(app: App, tmux: tuple[str, ...]) -> tuple[Stray, ...]:
    """The panes of this instance that belong to none of its agents, by the `tmux` command that reaches their server.

    Nothing is claimed while a journal is there and no supervisor to say what stands in it.
    """
    known = _known(app)
    return () if known is None else tuple(s for s in _marked(app.instance, tmux) if s.address not in known)


def in_words(found: tuple[Stray, ...]) -> str:
    """Which they are, the first few by name."""
    more = f" and {len(found) - AT_MOST} more" if len(found) > AT_MOST else ""
    return f"{', '.join(map(str, found[:AT_MOST]))}{more}"


def _known(app: App) -> frozenset[str] | None:
    try:
        return frozenset(agent.address for agent in app.ask(AGENT_LIST, ListAgents(), timeout_s=ASK_S).agents)
    except TimedOutError:
        return None
    except UnreachableError:
        return None if os.path.exists(app.paths.journal) else frozenset()


def _marked(instance: str, tmux: tuple[str, ...]) -> tuple[Stray, ...]:
    listed = subprocess.run([*tmux, "list-panes", "-a", "-F", FIELDS], capture_output=True, timeout=ASK_S, check=False)
    rows = (line.split() for line in listed.stdout.decode(errors="replace").splitlines())
    # By pane: a linked window is listed in each of its sessions.
    ours = {row[0]: unpack(row[2]) for row in rows if len(row) == 3 and unpack(row[1]) == instance}
    return tuple(Stray(pane_id=pane_id, address=address) for pane_id, address in ours.items())
