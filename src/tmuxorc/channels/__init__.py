"""Ways into a running agent that press no key, and what comes out of them: one module for each agent program.

The protocols are plain objects without I/O (`_codex_protocol` and so on), tested against what the real programs said;
the channels themselves move bytes.  A channel is imported only when an agent that has one is started.
"""

from importlib import import_module

from tmuxorc.channels._base import Ability as Ability
from tmuxorc.channels._base import Channel as Channel
from tmuxorc.channels._base import ChannelDown as ChannelDown
from tmuxorc.channels._base import ChannelError as ChannelError
from tmuxorc.channels._base import ChannelUnclear as ChannelUnclear
from tmuxorc.channels._base import Outgoing as Outgoing
from tmuxorc.channels._base import Place as Place
from tmuxorc.channels._base import PromptOver as PromptOver
from tmuxorc.channels._base import Receipt as Receipt
from tmuxorc.channels._base import Report as Report
from tmuxorc.channels._base import Said as Said
from tmuxorc.channels._base import SessionKnown as SessionKnown
from tmuxorc.channels._base import Up as Up
from tmuxorc.errors import ConfigError

CHANNELS = {
    "claude": "ClaudeChannel",
    "codex": "CodexChannel",
    "gemini": "GeminiChannel",
    "opencode": "OpencodeChannel",
    "qwen": "QwenChannel",
}
"""The class in ``tmuxorc.channels.NAME`` for each name that a kind may give."""


def channel_class(name: str) -> type[Channel]:
    """The channel called `name`; raises `ConfigError`."""
    if name not in CHANNELS:
        raise ConfigError(f"there is no channel {name!a}", hint=f"known channels: {', '.join(CHANNELS)}")
    found: type[Channel] = getattr(import_module(f"tmuxorc.channels.{name}"), CHANNELS[name])
    return found
