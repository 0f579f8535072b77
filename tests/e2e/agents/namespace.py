"""A network with nothing but loopback, so that no agent can reach anything outside (Linux).

``python -m tests.e2e.agents.namespace COMMAND…`` runs a command in a fresh one.
"""

import fcntl
import os
import socket
import struct
import sys

SIOCGIFFLAGS = 0x8913
IFF_UP = 0x1


def inside() -> bool:
    """Whether loopback is the only network interface there is, and is up."""
    return sys.platform == "linux" and [name for _, name in socket.if_nameindex()] == ["lo"] and _is_up("lo")


def require() -> None:
    """Raise RuntimeError unless `inside`."""
    if not inside():
        raise RuntimeError("real agents run only without a network: use python -m tests.e2e.agents.namespace COMMAND…")


def wrapped(command: list[str]) -> list[str]:
    """The command line that runs `command` in a network namespace of its own with loopback up."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--net", *as_root, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]


def _is_up(interface: str) -> bool:
    request = struct.pack("16sH14x", interface.encode(), 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, request)
    flags: int = struct.unpack_from("16xH", answer)[0]
    return bool(flags & IFF_UP)


def main(command: list[str]) -> None:
    """Become `command`, inside."""
    if not command:
        sys.exit("usage: python -m tests.e2e.agents.namespace COMMAND…")
    argv = wrapped(command)
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main(sys.argv[1:])
