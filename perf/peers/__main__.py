"""`python -m perf.peers`: list fifty agents, start to the first tool list, send a message, idle; and others beside.

Each peer is installed from the package index into an environment of its own (kept in `.perf/peers`).  What a peer does
less of than we do is said in its line: cli-agent-orchestrator's agents need a vendor's program, so it lists none.
"""

import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from perf.harness.lab import Crew, Lab, cpu_seconds, resident_bytes
from perf.harness.report import show
from perf.peers.mcp import McpServer

PLACE = Path(".perf") / "peers"
AGENTS = 50
ROUNDS = 9


@dataclass(frozen=True)
class Way:
    """One system's way to do one piece of work."""

    work: str
    who: str
    act: Callable[[], object]


def installed(package: str) -> Path:
    """The programs of a package, installed if it is not yet."""
    place = (PLACE / package).absolute()
    if not (place / "bin" / "python").exists():
        print(f"installing {package}", file=sys.stderr, flush=True)
        venv.EnvBuilder(with_pip=True, symlinks=True).create(place)
    subprocess.run([place / "bin" / "python", "-m", "pip", "install", "-qq", package], check=True)
    return place / "bin"


def version(programs: Path, package: str) -> str:
    """Name and version of what was measured."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    done = subprocess.run([programs / "python", "-c", code], capture_output=True, text=True, check=True)
    return f"{package} {done.stdout.strip()}"


def ours(lab: Lab, crew: Crew) -> Iterator[Way]:
    """This project."""
    yield Way("list the agents", "tmux-orc list", lab.command("list", "--json"))
    yield Way("send one message", "tmux-orc send (journaled, typed when the agent is free)", sending(lab, crew))


def sending(lab: Lab, crew: Crew) -> Callable[[], None]:
    """A message to each agent in its turn."""
    return lambda: lab.spawn((lab.program("tmux-orc"), "send", f"main/{crew.turn()}", "echo hello"))


def raw_tmux(lab: Lab, crew: Crew) -> Iterator[Way]:
    """What tmux itself takes: the limit."""
    tmux = (lab.tmux, "-N", "-S", crew.tmux_socket)
    pane = lab.run(*tmux, "list-panes", "-a", "-F", "#{pane_id}").decode().split()[0]
    yield Way("list the agents", "tmux list-panes -a", partial(lab.spawn, (*tmux, "list-panes", "-a")))
    yield Way(
        "send one message", "tmux send-keys (types blindly)", partial(lab.spawn, (*tmux, "send-keys", "-t", pane, "x"))
    )


def libtmux(lab: Lab, crew: Crew) -> Iterator[Way]:
    """The library, as a script would use it."""
    code = f"import libtmux; print(len(libtmux.Server(socket_path={crew.tmux_socket!r}).panes))"
    yield Way("list the agents", "libtmux in a script", partial(lab.spawn, (lab.python, "-c", code)))


def libtmux_mcp(lab: Lab, crew: Crew, stack: ExitStack, programs: Path) -> Iterator[Way]:
    """The MCP server on libtmux."""
    argv = (str(programs / "libtmux-mcp"),)
    environment = lab.environment | {"LIBTMUX_SOCKET_PATH": crew.tmux_socket}
    server = stack.enter_context(McpServer(argv, environment))
    who = version(programs, "libtmux-mcp")
    yield Way("start to the first tool list", who, partial(first_tools, argv, environment))
    yield Way("list the agents", f"{who}, a tool call to a running server", partial(server.tool, "list_panes"))


def orchestrator(lab: Lab, stack: ExitStack, programs: Path) -> Iterator[Way]:
    """cli-agent-orchestrator, without agents."""
    who = version(programs, "cli-agent-orchestrator")
    environment = lab.environment | {"CAO_API_PORT": "19889"}
    server = stack.enter_context(
        subprocess.Popen(
            [programs / "cao-server", "--port", "19889"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )
    stack.callback(server.kill)
    ask = partial(
        subprocess.run, [programs / "cao", "session", "list"], env=environment, capture_output=True, check=True
    )
    wait_until(ask)
    argv = (str(programs / "cao-mcp-server"),)
    yield Way("list the agents", f"{who} (it has none)", ask)
    yield Way("start to the first tool list", who, partial(first_tools, argv, environment))
    yield Way("idle", f"{who} (without agents)", partial(use, server.pid))


def first_tools(argv: tuple[str, ...], environment: dict[str, str]) -> None:
    """From nothing to the first list of tools."""
    with McpServer(argv, environment) as server:
        server.call("tools/list")


def wait_until(act: Callable[[], object], deadline_s: float = 60.0) -> None:
    """Try until it works."""
    ends = time.monotonic() + deadline_s
    while True:
        try:
            act()
        except subprocess.CalledProcessError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.2)
        else:
            return


def use(pid: int) -> str:
    """What a process takes while nothing happens."""
    before = cpu_seconds(pid)
    time.sleep(5)
    return f"{(cpu_seconds(pid) - before) / 5:.2%} of a core, {show(resident_bytes(pid), 'B')}"


def measure(ways: list[Way]) -> dict[Way, float]:
    """The median of each, taken in turns."""
    values: dict[Way, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way in ways:
            began = time.perf_counter()
            way.act()
            values[way].append(time.perf_counter() - began)
    return {way: median(taken) for way, taken in values.items()}


@contextmanager
def ready() -> Iterator[tuple[Lab, Crew]]:
    """Fifty agents of ours."""
    lab = Lab()
    try:
        yield lab, lab.crew(AGENTS)
    finally:
        lab.close()


def main() -> int:
    """Print the table; a peer that cannot be measured is named with the reason."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with ready() as (lab, crew), ExitStack() as stack:
        ways = [*ours(lab, crew), *raw_tmux(lab, crew), *libtmux(lab, crew)]
        ways.append(Way("idle", f"tmux-orc with {AGENTS} agents", partial(use, crew.pid)))
        for package, make in (
            ("libtmux-mcp", partial(libtmux_mcp, lab, crew, stack)),
            ("cli-agent-orchestrator", partial(orchestrator, lab, stack)),
        ):
            try:
                ways += list(make(installed(package)))
            except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
                print(f"{package} could not be measured: {error}")
        tell(measure([way for way in ways if way.work != "idle"]))
        for way in ways:
            if way.work == "idle":
                print(f"| idle | {way.who} | {way.act()} | |")
    return 0


def tell(medians: dict[Way, float]) -> None:
    """The table, with our own as the unit where there is one."""
    own = {way.work: took for way, took in reversed(medians.items()) if way.who.startswith("tmux-orc")}
    print("| work | who | takes | beside tmux-orc |")
    print("| --- | --- | ---: | ---: |")
    for way, took in sorted(medians.items(), key=lambda entry: (entry[0].work, entry[1])):
        ratio = f"{took / own[way.work]:.2g} ×" if way.work in own else ""
        faster = " (faster)" if way.work in own and took < own[way.work] else ""
        print(f"| {way.work} | {way.who} | {show(took, 's')} | {ratio}{faster} |")


if __name__ == "__main__":
    sys.exit(main())
