"""placeholder until the supervisor is there"""

from tmuxorc.cli._app import App
from tmuxorc.cli._declare import command
from tmuxorc.model import Frozen


class DemoReport(Frozen):
    """What was shown."""

    shown: tuple[str, ...]
    took_s: float


@command("tmux-orc demo")
async def demo(app: App) -> DemoReport:
    """Watch a team at work in a throwaway instance, in under a minute."""
    return DemoReport(shown=(), took_s=0)
