"""Bringing a tmux server and its hub session into being, through libtmux; blocking, for a worker thread.

The hub is found by our own option, never by its name.  What we rely on is set on our own sessions and windows; only a
server that is ours alone gets a global option.
"""

import os
import re
from collections.abc import Callable

import libtmux

from tmuxorc.errors import TmuxError
from tmuxorc.tmux._errors import TmuxGone, TmuxRefused
from tmuxorc.tmux._install import Endpoint
from tmuxorc.tmux._options import HUB, name_of, unpack
from tmuxorc.tmux._quote import Argv
from tmuxorc.tmux._sessions import new_session, session_name

_HUB_LINE = re.compile(r"(\$\d+) (\S+)")
HUB_NAME = "_hub"
_ATTEMPTS = 50


def ensure_hub(
    endpoint: Endpoint,
    instance: str,
    size: tuple[int, int],
    history_limit: int,
    check_wanted: Callable[[], object],
) -> str:
    """The id of the instance's hub session, made if it is missing, with its server.

    `check_wanted` is called before anything is made; it raises if nobody waits for the answer any more.
    """
    _make_directory(os.path.dirname(endpoint.socket_path))
    server = libtmux.Server(socket_path=endpoint.socket_path, config_file=endpoint.config, tmux_bin=endpoint.binary)
    found = _find_hub(server, instance)
    if found is not None:
        return found
    check_wanted()
    return _create_hub(server, endpoint, instance, size, history_limit)


def _make_directory(path: str) -> None:
    """What tmux does itself for ``-L``, but not for ``-S``: before its first server there is no directory."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return
    except OSError as error:
        raise TmuxRefused(f"cannot make the directory of tmux's sockets, {path}: {error.strerror}") from error


def _find_hub(server: libtmux.Server, instance: str) -> str | None:
    answer = server.cmd("list-sessions", "-F", f"#{{session_id}} #{{{name_of(HUB)}}}")
    for match in map(_HUB_LINE.fullmatch, answer.stdout):
        if match is not None and unpack(match[2]) == instance:
            return match[1]
    return None


def _create_hub(
    server: libtmux.Server, endpoint: Endpoint, instance: str, size: tuple[int, int], history_limit: int
) -> str:
    for attempt in range(_ATTEMPTS):
        name = session_name(HUB_NAME, attempt)
        batch = new_session(name, size, {HUB: instance}, history_limit)
        answer = server.cmd("start-server", *_joined(_globals(endpoint), batch))
        if answer.stdout:
            return answer.stdout[0].split()[0]
        message = " ".join(answer.stderr)
        if not message.startswith("duplicate session"):
            raise _failure(message, endpoint)
    raise TmuxRefused(f"no name is free for the hub session on {endpoint.socket_path}")


def _globals(endpoint: Endpoint) -> list[Argv]:
    return [("set-option", "-s", "exit-empty", "off")] if endpoint.private else []


def _joined(*batches: list[Argv]) -> list[str]:
    return [str(word) for batch in batches for argv in batch for word in (";", *argv)]


def _failure(message: str, endpoint: Endpoint) -> TmuxError:
    if "exited unexpectedly" in message or "lost server" in message or "error connecting" in message:
        hint = "a line of your tmux configuration may kill it: try `tmux -f /dev/null`, or see tmux-orc doctor"
        return TmuxGone(f"the tmux server on {endpoint.socket_path} did not start: {message}", hint=hint)
    return TmuxRefused(f"tmux did not make the hub session: {message}")
