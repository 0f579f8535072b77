r"""The kinds of agents: frozen data decoded from TOML files, those that come with the program and a person's own.

A new agent program is a new file in `kinds/`.  Patterns are regular expressions for one screen line without its
trailing blanks.  Those that tmux itself must check in the same breath as a key (`dialogs`, `composer.empty`,
`composer.first`) are POSIX extended and Python at once: no ``\d``, no look-around, no ``(?…)``.
"""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

import msgspec

from tmuxorc.agents.schema import KindFile, Placeholder, Verify
from tmuxorc.errors import ConfigError, NotFoundError
from tmuxorc.names import nearest
from tmuxorc.nesting import is_marker
from tmuxorc.toml import read_toml


class UnknownKindError(NotFoundError):
    """No kind has this name."""

    code = "unknown_kind"


class Kind(KindFile, kw_only=True):
    """One kind of agent.  `seen_on` names the version of the program that its rules were seen on."""

    name: str

    def argv(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        """The kind's own command, ``{python}`` and ``{shell}`` filled in; empty if it has none."""
        shell = environ.get("SHELL", "")
        places = {"{python}": sys.executable, "{shell}": shell if os.path.isabs(shell) else "/bin/sh"}
        return tuple(places.get(word, word) for word in self.command)

    @property
    def coloured(self) -> bool:
        """Whether its screen must be captured with colours, and read by `tmuxorc.agents.cells`."""
        return self.composer is not None and self.composer.placeholder is not Placeholder.NONE

    def unset_in(self, names: Iterable[str]) -> tuple[str, ...]:
        """Which of the environment's variables `names` an agent of this kind must not inherit, sorted."""
        return tuple(sorted(name for name in names if is_marker(name) or self._drops(name)))

    def _drops(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.env.unset)


_OWN = os.path.join(os.path.dirname(__file__), "kinds")


def load_kinds(extra_dir: str | None = None) -> dict[str, Kind]:
    """Every kind by name; those in `extra_dir`, if it exists, are added and win.  Raises `ConfigError`."""
    return {path_name[1]: _load(*path_name) for path_name in (*_files(_OWN), *_files(extra_dir))}


def kind_names(extra_dir: str | None = None) -> list[str]:
    """The names of the kinds `load_kinds` would load, without reading them."""
    return sorted({name for _, name in (*_files(_OWN), *_files(extra_dir))})


def find_kind(kinds: Mapping[str, Kind], name: str) -> Kind:
    """The kind called `name`; raises `UnknownKindError` that names the nearest."""
    if name in kinds:
        return kinds[name]
    near = nearest(name, kinds)
    hint = f"did you mean '{near}'?" if near else f"known kinds: {', '.join(sorted(kinds))}"
    raise UnknownKindError(f"unknown kind {name!a}", hint=hint, details={"kind": ascii(name), "nearest": near})


def _files(folder: str | None) -> list[tuple[str, str]]:
    if folder is None or not os.path.isdir(folder):
        return []
    names = sorted(name for name in os.listdir(folder) if name.endswith(".toml"))
    return [(os.path.join(folder, name), name.removesuffix(".toml")) for name in names]


def _load(path: str, name: str) -> Kind:
    file = read_toml(path, KindFile)
    _check(path, file)
    return Kind(name=name, **msgspec.structs.asdict(file))


def _check(path: str, file: KindFile) -> None:
    for key, pattern in _patterns(file):
        try:
            re.compile(pattern)
        except re.error as error:
            raise _error(path, key, f"not a regular expression: {error}") from error
    if file.launch.companion and not file.launch.companion_ready:
        raise _error(path, "launch.companion_ready", "launch.companion is given, so this is needed")
    if file.deliver.verify is Verify.COMPOSER and file.composer is None:
        raise _error(path, "composer", "deliver.verify is 'composer', so this table is needed")


def _error(path: str, key: str, problem: str) -> ConfigError:
    return ConfigError(f"{path}: {key}: {problem}", details={"file": path, "key": key})


def _patterns(file: KindFile) -> Iterable[tuple[str, str]]:
    for index, rule in enumerate(file.states):
        yield f"states[{index}].match", rule.match
        yield f"states[{index}].detail", rule.detail
        yield from ((f"states[{index}].also", also) for also in rule.also)
        yield from ((f"states[{index}].never", never) for never in rule.never)
    for index, dialog in enumerate(file.dialogs):
        yield f"dialogs[{index}]", dialog
    for table, key in ((file.composer, "composer"), (file.deliver, "deliver"), (file.prompts, "prompts")):
        for name, value in (msgspec.structs.asdict(table) if table else {}).items():
            if isinstance(value, str) and name != "key":
                yield f"{key}.{name}", value
