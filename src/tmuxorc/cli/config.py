"""Commands about the configuration file; they work without a supervisor."""

import os
from typing import Annotated, Any

from tmuxorc.cli import _read
from tmuxorc.cli._app import App
from tmuxorc.cli._declare import Arg, command
from tmuxorc.config import Settings, describe, load_settings
from tmuxorc.errors import NotFoundError
from tmuxorc.model import Frozen


class ConfigPath(Frozen):
    """Where the configuration file is, or would be."""

    path: str
    exists: bool


class Setting(Frozen):
    """One key; `changed` tells whether the file says something else than the default."""

    key: str
    value: Any
    default: Any
    changed: bool
    type: str
    doc: str


class ConfigView(ConfigPath):
    """Every key with its value."""

    settings: tuple[Setting, ...]


class ConfigCheck(Frozen):
    """A file that can be used; `changed` are the keys it sets to something else than the default."""

    path: str
    exists: bool
    changed: tuple[str, ...]


@command("tmux-orc config show")
async def show(app: App) -> ConfigView:
    """Show every setting with its value."""
    place = _place(app.paths.config_file)
    return ConfigView(path=place.path, exists=place.exists, settings=_settings(load_settings(place.path)))


@command("tmux-orc config path", 'edit "$(tmux-orc config path)"', render="path")
async def path(app: App) -> ConfigPath:
    """Print where the configuration file is."""
    return _place(app.paths.config_file)


@command("tmux-orc config check", "tmux-orc config check ./config.toml")
async def check(
    app: App,
    file: Annotated[
        str | None, Arg(metavar="[FILE]", read=_read.absolute, help="Another file than the one in use.")
    ] = None,
) -> ConfigCheck:
    """Check a configuration file.

    Ends with status 2 and one clear error when it cannot be used.
    """
    place = _place(file or app.paths.config_file)
    if file is not None and not place.exists:
        raise NotFoundError(f"no such file: {file}")
    changed = tuple(s.key for s in _settings(load_settings(place.path)) if s.changed)
    return ConfigCheck(path=place.path, exists=place.exists, changed=changed)


def _place(path: str) -> ConfigPath:
    return ConfigPath(path=path, exists=os.path.exists(path))


def _settings(settings: Settings) -> tuple[Setting, ...]:
    return tuple(
        Setting(
            key=info.key,
            value=info.value,
            default=info.default,
            changed=info.value != info.default,
            type=info.type,
            doc=info.doc,
        )
        for info in describe(settings)
    )
