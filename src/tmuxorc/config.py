"""The configuration file: TOML into frozen structs, every key with a type, a default, a range and a description.

Only data and reading it; who reads which key is the business of the part named in its description.  A missing file
costs one failed ``open``.
"""

from enum import Enum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tmuxorc.model import Frozen
from tmuxorc.toml import doc_of, in_words, read_toml


class Synchronous(str, Enum):
    """When the journal waits for the disk."""

    FULL = "full"
    NORMAL = "normal"


class LogLevel(str, Enum):
    """The least severe entries that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Section(Frozen, forbid_unknown_fields=True):
    """Base of the tables of the file."""


class TmuxSettings(Section):
    """The tmux server and its panes."""

    socket: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
            max_length=64,
            description='Which tmux server agents run in: `"private"` is one of our own, `"default"` the one plain '
            "`tmux` talks to, anything else the name given to `tmux -L`.",
        ),
    ] = "private"
    binary: Annotated[
        str,
        Meta(min_length=1, description="The tmux program: a name looked up in PATH, or an absolute path."),
    ] = "tmux"
    history_limit: Annotated[
        int,
        Meta(ge=0, le=1_000_000, description="Lines of scrollback each agent's pane keeps."),
    ] = 10_000
    size: Annotated[
        tuple[Annotated[int, Meta(ge=20, le=1000)], Annotated[int, Meta(ge=5, le=1000)]],
        Meta(description="Columns and rows of a pane while nobody is attached."),
    ] = (200, 50)


class JournalSettings(Section):
    """What the journal promises and how much it keeps."""

    synchronous: Annotated[
        Synchronous,
        Meta(
            description="`full`: what was acknowledged survives power loss. `normal`: it survives a crash of the "
            "supervisor, but a power loss may take the last seconds."
        ),
    ] = Synchronous.FULL
    keep_events: Annotated[
        int,
        Meta(ge=1000, le=100_000_000, description="How many of the newest events are kept."),
    ] = 100_000
    keep_messages_days: Annotated[
        float,
        Meta(ge=0.01, le=36_500, description="Days a settled message is kept; one not settled yet is never dropped."),
    ] = 30.0


class LogSettings(Section):
    """The supervisor's log."""

    level: Annotated[LogLevel, Meta(description="The least severe entries that are logged.")] = LogLevel.INFO
    max_bytes: Annotated[
        int,
        Meta(ge=10_000, le=1_000_000_000, description="Size at which the log is rotated."),
    ] = 5_000_000
    backups: Annotated[int, Meta(ge=0, le=100, description="How many rotated logs are kept.")] = 3


class DaemonSettings(Section):
    """The supervisor process."""

    drain_s: Annotated[
        float,
        Meta(ge=0, le=600, description="Seconds a stopping supervisor gives deliveries and requests under way."),
    ] = 5.0


class AgentSettings(Section):
    """Agents, unless their own spec or team file says otherwise."""

    shutdown_s: Annotated[
        float,
        Meta(ge=0, le=3600, description="Seconds an agent has to stop by itself before it is killed."),
    ] = 5.0
    mailbox: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="Messages that may wait for one agent; one more is refused."),
    ] = 64


class DeliverySettings(Section):
    """Messages on their way."""

    ttl_s: Annotated[
        float,
        Meta(ge=1, le=31_536_000, description="Seconds a message may wait for its agent before it expires."),
    ] = 86_400.0


class Settings(Section):
    """The whole file; every table and every key may be left out."""

    tmux: TmuxSettings = TmuxSettings()
    journal: JournalSettings = JournalSettings()
    log: LogSettings = LogSettings()
    daemon: DaemonSettings = DaemonSettings()
    agent: AgentSettings = AgentSettings()
    delivery: DeliverySettings = DeliverySettings()


class SettingInfo(Frozen):
    """One key: its dotted name, its type and range in words, its default and its value as plain data, what it does."""

    key: str
    type: str
    default: Any
    value: Any
    doc: str


def load_settings(path: str) -> Settings:
    """Read the settings in the file at `path`; all defaults if there is no such file.

    Raises `ConfigError` naming the file, the key and, for an unknown one, the nearest known key.
    """
    try:
        return read_toml(path, Settings)
    except FileNotFoundError:
        return Settings()


def describe(settings: Settings | None = None) -> tuple[SettingInfo, ...]:
    """Every key there is, in the order of the reference; `value` is taken from `settings` (default: the defaults)."""
    values = Settings() if settings is None else settings
    return tuple(
        SettingInfo(
            key=f"{section.name}.{field.name}",
            type=in_words(field.type),
            default=msgspec.to_builtins(field.default),
            value=msgspec.to_builtins(getattr(getattr(values, section.name), field.name)),
            doc=doc_of(field.type),
        )
        for section in msgspec.structs.fields(Settings)
        for field in msgspec.structs.fields(section.type)
    )


def reference() -> str:
    """The page ``docs/reference/config.md``, in Markdown."""
    infos = describe()
    sections = (_section_page(field.name, field.type, infos) for field in msgspec.structs.fields(Settings))
    return "\n".join([_REFERENCE_HEAD, *sections])


_REFERENCE_HEAD = """\
# Configuration

One TOML file for all instances, `config.toml` in `$XDG_CONFIG_HOME/tmux-orc/` (`~/.config/tmux-orc/`; on macOS
`~/Library/Application Support/tmux-orc/`). It need not exist: every key has a default. A key that is not listed here,
or a value of another type or out of its range, is an error that names the file and the key.

`tmux-orc config path` says where the file is, `config show` prints the values in force, `config check` reads the file.
The supervisor reads it when it starts: `tmux-orc daemon restart` applies a change, and agents keep running.

This page is generated from the code: `python -m tmuxorc.config > docs/reference/config.md`.
"""


def _section_page(name: str, type_: type, infos: tuple[SettingInfo, ...]) -> str:
    head = [f"## `[{name}]`", "", type_.__doc__ or "", "", "| key | type | default | |", "| --- | --- | --- | --- |"]
    rows = [_row(info) for info in infos if info.key.startswith(f"{name}.")]
    return "\n".join([*head, *rows, ""])


def _row(info: SettingInfo) -> str:
    return f"| `{info.key.partition('.')[2]}` | {info.type} | `{_toml(info.default)}` | {info.doc} |"


def _toml(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=-1).decode().replace(",", ", ")


if __name__ == "__main__":
    import sys

    sys.stdout.write(reference())
