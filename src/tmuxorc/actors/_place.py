"""How an agent is started so that it can be spoken to: its private folder, what is written there, its own words.

The folder lies below the instance's runtime directory and outlives the supervisor; the next one reads there where the
agent can be reached.  Nothing is written anywhere else.
"""

import hashlib
import json
import os
import secrets
import shlex
import shutil
import socket
import stat
import sys
import uuid
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from tmuxorc import hook
from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.schema import Launch
from tmuxorc.channels import Place
from tmuxorc.errors import ConfigError
from tmuxorc.model import AgentSpec, Frozen
from tmuxorc.paths import Paths

PLACE = "place.json"
SPOOL = "hooks.jsonl"


class Prepared(Frozen):
    """What a start adds to the spec: the whole argument vector, variables, where the agent can be reached then.

    `companion` is the argument vector of the process that runs beside it, empty if there is none; it is ready once the
    file `companion_ready` is there.
    """

    argv: tuple[str, ...]
    env: dict[str, str] = {}
    companion: tuple[str, ...] = ()
    companion_ready: str = ""
    place: Place | None = None


def folder_of(paths: Paths, address: str) -> str:
    """The agent's private folder; short, for sockets lie in it."""
    name = hashlib.blake2b(address.encode(), digest_size=5).hexdigest()
    return f"{paths.runtime_dir}/a/{name}"


def prepare(paths: Paths, spec: AgentSpec, kind: Kind, program: str, session: str) -> Prepared:
    """Write the private files for a new start of `program`, going on with `session` unless it is empty.

    Raises `ConfigError` if the folder cannot be written.
    """
    launch = _usable(kind.launch, paths.runtime_dir)
    if launch == Launch():
        return Prepared(argv=(program, *spec.command[1:]))
    place = _new_place(paths, spec, launch, program, session if launch.resume else "")
    words = _words(place)
    own = launch.resume if place.session else launch.args
    try:
        _write(place, launch, words)
    except OSError as error:
        hint = f"check that {paths.runtime_dir} is yours to write and not full"
        raise ConfigError(f"cannot write {place.folder}: {error.strerror}", hint=hint) from error
    return Prepared(
        argv=(program, *_filled(own, words), *spec.command[1:]),
        env={name: fill(value, words) for name, value in launch.env.items()} | {"TMUX_ORC_RUN": place.folder},
        companion=_filled(launch.companion, words),
        companion_ready=fill(launch.companion_ready, words),
        place=place,
    )


def _usable(launch: Launch, folder: str) -> Launch:
    """`launch` without what its program would refuse to read, and complain of at every start."""
    if launch.root_only and not _only_root_writes(folder):
        return msgspec.structs.replace(launch, files=(), env={})
    return launch


def _only_root_writes(folder: str) -> bool:
    """Whether `folder` and all above it belong to root, and nobody else can write there."""
    folder = os.path.realpath(folder)
    found = [os.stat(folder)]
    while folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
        found.append(os.stat(folder))
    return all(each.st_uid == 0 and not each.st_mode & (stat.S_IWGRP | stat.S_IWOTH) for each in found)


def recall(paths: Paths, address: str) -> Place | None:
    """Where the agent that already runs can be reached; None if nothing is known."""
    try:
        with open(f"{folder_of(paths, address)}/{PLACE}", "rb") as file:
            return msgspec.json.decode(file.read(), type=Place)
    except (OSError, msgspec.MsgspecError):
        return None


def forget_place(paths: Paths, address: str) -> None:
    """Remove the private folder."""
    shutil.rmtree(folder_of(paths, address), ignore_errors=True)


def take_spool(folder: str) -> list[tuple[str, bytes]]:
    """The events of hooks that met no supervisor, oldest first; they are not there a second time."""
    path = f"{folder}/{SPOOL}"
    with suppress(OSError, ValueError):
        os.rename(path, f"{path}.read")
        with open(f"{path}.read", "rb") as file:
            return [found for line in file if (found := _spooled(line)) is not None]
    return []


def _spooled(line: bytes) -> tuple[str, bytes] | None:
    try:
        entry = msgspec.json.decode(line, type=dict[str, str])
        return entry["event"], entry["payload"].encode()
    except (msgspec.MsgspecError, KeyError):
        return None


def _new_place(paths: Paths, spec: AgentSpec, launch: Launch, program: str, session: str) -> Place:
    return Place(
        folder=folder_of(paths, spec.address),
        program=program,
        cwd=spec.cwd,
        home=spec.env.get("HOME") or os.path.expanduser("~"),
        port=_free_port(),
        password=secrets.token_urlsafe(24),
        session=session,
        given="" if session or not any("{new}" in word for word in launch.args) else str(uuid.uuid4()),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _words(place: Place) -> dict[str, str]:
    return {
        "{run}": place.folder,
        "{program}": place.program,
        "{session}": place.session,
        "{port}": str(place.port),
        "{password}": place.password,
        "{hook}": shlex.join((sys.executable, "-I", "-S", hook.__file__)),
        "{new}": place.given,
    }


def fill(text: str, words: Mapping[str, str]) -> str:
    """`text` with every placeholder replaced, once: what is put in is not looked at again."""
    for mark in sorted(words, key=text.find):
        before, found, after = text.partition(mark)
        if found:
            return before + words[mark] + fill(after, words)
    return text


def _filled(texts: tuple[str, ...], words: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(fill(text, words) for text in texts)


def _write(place: Place, launch: Launch, words: Mapping[str, str]) -> None:
    """A new folder with the kind's files and the place itself; what an earlier start left there is gone."""
    shutil.rmtree(place.folder, ignore_errors=True)
    os.makedirs(place.folder, mode=0o700)
    quoted = {mark: json.dumps(word)[1:-1] for mark, word in words.items()}
    for file in launch.files:
        _write_private(f"{place.folder}/{file.path}", fill(file.content, quoted).encode())
    remember(place)


def remember(place: Place) -> None:
    """Write down where the agent can be reached, for the next supervisor.  Raises `OSError`."""
    _write_private(f"{place.folder}/{PLACE}.new", msgspec.json.encode(place))
    os.rename(f"{place.folder}/{PLACE}.new", f"{place.folder}/{PLACE}")


def keep_session(place: Place, session: str) -> Place:
    """`place` with the session that the agent is in by now, written down as far as that works."""
    there = msgspec.structs.replace(place, session=session)
    with suppress(OSError):
        remember(there)
    return there


def _write_private(path: str, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(data)
