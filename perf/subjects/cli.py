"""Commands as whole processes, as people and scripts run them."""

from collections.abc import Callable, Iterator

from perf.harness.bench import Scale, benchmark
from perf.harness.growth import Growth
from perf.harness.lab import Lab

AGENTS = Scale("agents", (1, 10, 50, 100), quick=(1, 50), growth=Growth.LINEAR)
FLAT = Scale("agents", (1, 10, 50, 100), quick=(50,), growth=Growth.FLAT)
LIMIT = "limits.import_asyncclick"
Acts = Iterator[Callable[[], object]]


@benchmark(feels="asking for help takes longer", unit="s/act", beside=LIMIT)
def help(lab: Lab) -> Acts:
    """`tmux-orc --help`."""
    yield lab.command("--help")


@benchmark(feels="whoever reads the command tree waits longer", unit="s/act", quick=False, beside=LIMIT)
def reflect(lab: Lab) -> Acts:
    """`tmux-orc reflect --format json`: every command is loaded."""
    yield lab.command("reflect", "--format", "json")


@benchmark(feels="looking at the agents takes longer", unit="s/act", scale=AGENTS, beside=LIMIT)
def list_json(lab: Lab, agents: int) -> Acts:
    """`tmux-orc list --json`."""
    lab.crew(agents)
    yield lab.command("list", "--json")


@benchmark(feels="looking at the agents takes longer", unit="s/act", scale=AGENTS, quick=False, beside=LIMIT)
def list_table(lab: Lab, agents: int) -> Acts:
    """`tmux-orc list`, drawn for people."""
    lab.crew(agents)
    yield lab.command("list")


@benchmark(feels="looking at the whole system takes longer", unit="s/act", scale=FLAT, beside=LIMIT)
def status_json(lab: Lab, agents: int) -> Acts:
    """`tmux-orc status --json`."""
    lab.crew(agents)
    yield lab.command("status", "--json")


@benchmark(feels="sending a message takes longer", unit="s/act", scale=FLAT, beside=LIMIT)
def send(lab: Lab, agents: int) -> Acts:
    """`tmux-orc send` to one agent, until the message is accepted; its delivery is not waited for."""
    crew = lab.crew(agents)

    def act() -> None:
        lab.spawn((lab.program("tmux-orc"), "send", f"main/{crew.turn()}", "echo hello", "--json"))

    yield act
    crew.settle()


@benchmark(feels="completing a name with the tab key takes longer", unit="s/act", quick=False, beside=LIMIT)
def completion(lab: Lab) -> Acts:
    """What the shell asks when a person presses tab behind `agent info`."""
    lab.crew(50)
    lab.environment |= {"_TMUX_ORC_COMPLETE": "bash_complete", "COMP_WORDS": "tmux-orc agent info d", "COMP_CWORD": "3"}
    yield lab.command()
    for name in ("_TMUX_ORC_COMPLETE", "COMP_WORDS", "COMP_CWORD"):
        del lab.environment[name]


@benchmark(feels="every turn of every agent is kept up for longer", unit="s/act", beside="limits.python_pass")
def hook(lab: Lab) -> Acts:
    """What an agent's hook runs: it reports to the supervisor, which has fifty agents, and is answered."""
    from tmuxorc import hook as program

    crew = lab.crew(50)
    argv = (lab.python, "-I", "-S", program.__file__, "Stop")
    lab.environment |= {"TMUX_ORC_SOCKET": crew.socket, "TMUX_ORC_AGENT": f"main/{crew.turn()}"}
    yield lambda: lab.spawn(argv)
    for name in ("TMUX_ORC_SOCKET", "TMUX_ORC_AGENT"):
        del lab.environment[name]
