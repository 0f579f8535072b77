"""The demonstration: a real team in a throwaway instance."""

import time

from tmuxorc.cli._app import App
from tmuxorc.cli._declare import command
from tmuxorc.model import Frozen


class DemoReport(Frozen):
    """What was shown, in `took_s` seconds; nothing of it is left."""

    shown: tuple[str, ...]
    took_s: float


@command("tmux-orc demo")
async def demo(app: App) -> DemoReport:
    """Watch a team at work in a throwaway instance, in under a minute.

    Four demo agents start, get messages, one crashes and comes back, one needs a permission, the supervisor is killed
    and the next one takes over. It has directories and a tmux server of its own and removes them at the end; your own
    tmux and your own agents are not touched.
    """
    from tmuxorc.cli._scenes import SCENES, Show
    from tmuxorc.cli._stage import throwaway

    began = time.monotonic()
    with throwaway(app) as stage:
        show = Show(stage)
        shown = tuple(scene(show) for scene in SCENES)
        show.title("Cleaning up")
    return DemoReport(shown=shown, took_s=time.monotonic() - began)
