"""The tmux program: finding it, its version, and where its server listens."""

import os
import re
import shutil
import subprocess

from tmuxorc.model import Frozen
from tmuxorc.tmux._errors import TmuxMissing, TmuxTimeout, TmuxTooOld

OLDEST = (3, 2)

_VERSION = re.compile(r"(?:next-)?(\d+)\.(\d+)([a-z]?)")


class Version(Frozen, order=True):
    """``3.3a`` as (3, 3, "a"); the development tree, ``next-3.8`` or ``master``, counts as what it will become."""

    major: int
    minor: int
    letter: str = ""

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}{self.letter}"


class Installed(Frozen):
    """A usable tmux program."""

    path: str
    version: Version


class Endpoint(Frozen):
    """One tmux server: the program to talk to it with, and its socket.

    `private` says that the server is ours alone, so that we may set global options on it.  `config` is the file its
    configuration comes from if we have to start it; None for tmux's own places.
    """

    binary: str
    socket_path: str
    private: bool = True
    config: str | None = None


def parse_version(text: str) -> Version | None:
    """The version in ``tmux 3.3a``; None if there is none to read.

    ``master``, and OpenBSD's own which counts by its releases (``openbsd-7.6``), are newer than any.
    """
    word = text.strip().removeprefix("tmux ").strip()
    if word == "master" or word.startswith("openbsd-"):
        return Version(major=99, minor=0)
    match = _VERSION.match(word)
    return None if match is None else Version(major=int(match[1]), minor=int(match[2]), letter=match[3])


def find_tmux(binary: str = "tmux", *, path: str | None = None, timeout_s: float = 5.0) -> Installed:
    """The tmux program and its version; blocking, for a thread or a command of its own.

    `path` is searched instead of ``$PATH``.  Raises `TmuxMissing`, `TmuxTooOld`, or `TmuxTimeout` if it hangs.
    """
    found = shutil.which(binary, path=path)
    if found is None:
        searched = os.environ.get("PATH", os.defpath) if path is None else path
        raise TmuxMissing(f"no tmux program {binary!r} on the PATH {searched}", details={"path": searched})
    found = os.path.abspath(found)
    version = _supported(_ask_version(found, timeout_s), found)
    return Installed(path=found, version=version)


def _ask_version(found: str, timeout_s: float) -> str:
    try:
        done = subprocess.run(
            [found, "-V"], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise TmuxTimeout(f"{found} -V did not answer within {timeout_s:g} s") from None
    except OSError as error:
        raise TmuxMissing(f"{found} cannot be run: {error.strerror}") from None
    return done.stdout.decode(errors="replace")


def _supported(answer: str, found: str) -> Version:
    version = parse_version(answer)
    if version is None:
        raise TmuxTooOld(f"{found} does not say which version of tmux it is: {answer.strip()[:80]!r}")
    if (version.major, version.minor) < OLDEST:
        raise TmuxTooOld(f"{found} is tmux {version}; {OLDEST[0]}.{OLDEST[1]} or newer is needed")
    return version
