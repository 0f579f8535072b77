"""Where an instance keeps its files: state, runtime directory, sockets, configuration.

On the path of every short command: `os` only, and nothing is created until `make_state_dir` or `make_runtime_dir`.
"""

import os
import stat
import sys
from collections.abc import Mapping

from tmuxorc.errors import ConfigError
from tmuxorc.model import Frozen
from tmuxorc.names import check_name

APP = "tmux-orc"
DEFAULT_INSTANCE = "default"
INSTANCE_VARIABLE = "TMUX_ORC_INSTANCE"

MAX_SOCKET_PATH = 103 if sys.platform == "darwin" else 107
"""Bytes of ``sun_path`` less the final NUL: unix(4) on macOS, unix(7) on Linux."""


class Paths(Frozen):
    """The files of one instance; every path is absolute.

    `state_dir` outlives reboots and holds the journal, the log and the lock of the supervisor that owns them;
    `runtime_dir` belongs to this user alone (0700) and holds the socket.
    """

    instance: str
    state_dir: str
    runtime_dir: str
    config_dir: str

    @property
    def socket(self) -> str:
        """The supervisor's socket."""
        return f"{self.runtime_dir}/socket"

    @property
    def start_lock(self) -> str:
        """Held by a client while it starts a supervisor, so that one of many does."""
        return f"{self.runtime_dir}/start.lock"

    @property
    def lock(self) -> str:
        """Held by the supervisor for life; beside the journal, because that is what must have one owner."""
        return f"{self.state_dir}/supervisor.lock"

    @property
    def journal(self) -> str:
        """The SQLite database."""
        return f"{self.state_dir}/journal.db"

    @property
    def log(self) -> str:
        """The supervisor's log; rotated ones get ``.1``, ``.2``… behind it."""
        return f"{self.state_dir}/supervisor.log"

    @property
    def config_file(self) -> str:
        """The configuration, shared by all instances; it need not exist."""
        return f"{self.config_dir}/config.toml"

    @property
    def kinds_dir(self) -> str:
        """A person's own agent kinds, one TOML file each; it need not exist."""
        return f"{self.config_dir}/kinds"

    def make_state_dir(self) -> str:
        """Create the state directory (0700) with what is missing above it; raises `ConfigError`."""
        return _make_dirs(self.state_dir)

    def make_runtime_dir(self) -> str:
        """Create the runtime directory and check that nobody else can reach into it; raises `ConfigError`.

        Its parent is checked too: in ``/tmp`` another user may have made it first.
        """
        _make_dirs(self.runtime_dir)
        check_private(os.path.dirname(self.runtime_dir))
        return check_private(self.runtime_dir)


def instance_name(option: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """The instance asked for: the option, else ``TMUX_ORC_INSTANCE``, else ``default``; raises `BadNameError`."""
    name = option if option is not None else environ.get(INSTANCE_VARIABLE) or DEFAULT_INSTANCE
    return check_name(name, "instance")


def find_paths(instance: str = DEFAULT_INSTANCE, environ: Mapping[str, str] = os.environ) -> Paths:
    """The paths of `instance`.  Touches no file but to see whether a runtime directory is there and ours.

    Raises `ConfigError` when no home directory is known, a path is not UTF-8 or the socket's would be too long.
    """
    check_name(instance, "instance")
    paths = Paths(
        instance=instance,
        state_dir=f"{_base(environ, 'XDG_STATE_HOME', '.local/state')}/{instance}",
        runtime_dir=f"{_runtime_base(environ)}/{instance}",
        config_dir=_base(environ, "XDG_CONFIG_HOME", ".config"),
    )
    check_unicode(paths.state_dir, "set XDG_STATE_HOME to a directory whose name is UTF-8")
    check_unicode(paths.runtime_dir, "set XDG_RUNTIME_DIR to a directory whose name is UTF-8")
    check_socket_path(paths.socket, "set XDG_RUNTIME_DIR to a shorter directory, or use a shorter instance name")
    return paths


def tmux_socket(instance: str, choice: str = "private", environ: Mapping[str, str] = os.environ) -> str:
    """The tmux server's socket for `instance`, where ``tmux -L`` looks for it.

    `choice` is the setting ``tmux.socket``: ``private`` (a server of our own), ``default`` (the person's), or a name.
    """
    name = _private_socket(instance) if choice == "private" else choice
    path = f"{tmux_socket_dir(environ)}/{name}"
    check_unicode(path, "set TMUX_TMPDIR to a directory whose name is UTF-8")
    return check_socket_path(path, "set TMUX_TMPDIR to a shorter directory, or tmux.socket to a shorter name")


def tmux_socket_dir(environ: Mapping[str, str] = os.environ) -> str:
    """``tmux-UID`` under the first of ``TMUX_TMPDIR`` and ``/tmp`` that exists, links resolved, as tmux itself does."""
    wanted = environ.get("TMUX_TMPDIR", "")
    base = wanted if wanted and os.path.exists(wanted) else "/tmp"
    return f"{os.path.realpath(base)}/tmux-{os.getuid()}"


def make_tmux_socket_dir(socket_path: str) -> str:
    """Create the directory of a tmux socket, as tmux itself does only when it is told a name and not a path.

    One that a person has opened to a group is taken, as tmux takes it (``TMUX_SOCK_PERM`` in its ``tmux.c``).
    """
    return check_private(_make_dirs(os.path.dirname(socket_path)), forbidden=0o007)


def check_socket_path(path: str, hint: str) -> str:
    """Return `path` if the kernel can bind a Unix socket there; raise `ConfigError` with `hint` if it is too long."""
    size = len(os.fsencode(path))
    if size > MAX_SOCKET_PATH:
        message = f"the socket path is too long: {path} has {size} bytes, the system allows {MAX_SOCKET_PATH}"
        raise ConfigError(message, hint=hint, details={"path": path, "bytes": size, "limit": MAX_SOCKET_PATH})
    return path


def check_unicode(path: str, hint: str) -> str:
    """Return `path` if it is UTF-8, as every answer that names it must be; raise `ConfigError` with `hint` if not."""
    try:
        path.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"the path {path!a} is not UTF-8", hint=hint, details={"path": ascii(path)}) from None
    return path


def check_private(path: str, *, forbidden: int = 0o077) -> str:
    """Return `path` if it is a real directory of this user without the `forbidden` bits of permission.

    Raises `ConfigError` if not.
    """
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode):
        raise _unsafe(path, "is not a directory", "move it away")
    if found.st_uid != os.getuid():
        hint = "set XDG_RUNTIME_DIR to a directory of your own"
        raise _unsafe(path, f"belongs to user {found.st_uid}, not to you ({os.getuid()})", hint)
    if found.st_mode & forbidden:
        mode = stat.S_IMODE(found.st_mode)
        raise _unsafe(path, f"is open to other users (mode {mode:04o})", f"chmod 700 {path}")
    return path


def _private_socket(instance: str) -> str:
    return "tmuxorc" if instance == DEFAULT_INSTANCE else f"tmuxorc-{instance}"


def _base(environ: Mapping[str, str], variable: str, fallback: str) -> str:
    """Our directory under an XDG base; a relative value is ignored, as the specification asks."""
    given = environ.get(variable, "")
    if os.path.isabs(given):
        return f"{_trimmed(given)}/{APP}"
    home = "Library/Application Support" if sys.platform == "darwin" else fallback
    return f"{_home(environ)}/{home}/{APP}"


def _home(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    if not os.path.isabs(home):
        home = os.path.expanduser("~") if not home else ""
    if not os.path.isabs(home):
        raise ConfigError("no home directory is known: HOME is not an absolute path", hint="set HOME")
    return _trimmed(home)


def _runtime_base(environ: Mapping[str, str]) -> str:
    """Our directory under the first runtime directory that is this user's, else one of our own in ``/tmp``.

    ``/run/user/UID`` is tried even when the variable is unset (cron, su), so that all of a user's shells agree; a
    variable left over from another user is ignored.
    """
    given = environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(given) and (_is_ours(given) or _can_be_made(given)):
        return f"{_trimmed(given)}/{APP}"
    usual = f"/run/user/{os.getuid()}"
    return f"{usual}/{APP}" if _is_ours(usual) else f"/tmp/{APP}-{os.getuid()}"


def _trimmed(directory: str) -> str:
    return directory.rstrip("/")


def _is_ours(directory: str) -> bool:
    try:
        found = os.stat(directory)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _can_be_made(directory: str) -> bool:
    return not os.path.lexists(directory) and os.access(os.path.dirname(_trimmed(directory)), os.W_OK | os.X_OK)


def _make_dirs(path: str) -> str:
    try:
        _make_private(path)
    except OSError as error:
        message = f"cannot create the directory {path}: {error.strerror}"
        raise ConfigError(message, hint=f"check that {os.path.dirname(path)} is yours to write") from error
    return path


def _make_private(path: str) -> None:
    """`os.makedirs`, but every directory made is 0700, not only the last, whatever the umask."""
    if os.path.isdir(path):
        return
    _make_private(os.path.dirname(path))
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise


def _unsafe(path: str, why: str, hint: str) -> ConfigError:
    return ConfigError(f"{path} {why}, so sockets in it are not safe", hint=hint, details={"path": path})
