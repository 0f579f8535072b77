"""The command tree as a table: where each command lives, with its summary, so that help imports no command.

The summaries are the first lines of the functions' docstrings; a test holds them together.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """One command: its module under `tmuxorc.cli`, its attribute there, its summary."""

    module: str
    attribute: str
    summary: str


class Noun(NamedTuple):
    """A group of commands about one thing."""

    summary: str
    commands: dict[str, Entry]


SPAWN = Entry("agent", "spawn", "Start one agent.")
LIST = Entry("agent", "list_agents", "List the agents.")
SCREEN = Entry("agent", "screen", "Print an agent's pane as it is.")
SEND = Entry("message", "send", "Send a message to an agent, a team or everyone.")
WAIT = Entry("agent", "wait", "Wait until an agent is in one of some states.")
ATTACH = Entry("agent", "attach", "Hand the terminal to an agent's pane.")
WHY = Entry(
    "prompt",
    "why",
    "Show why an agent is thought to be in its state: every piece of evidence, with its source and age.",
)

AGENT = Noun(
    "Agents: one program in one pane each.",
    {
        "spawn": SPAWN,
        "list": LIST,
        "info": Entry("agent", "info", "Show everything about one agent."),
        "screen": SCREEN,
        "send": SEND,
        "approve": Entry("prompt", "approve", "Allow what an agent asks for, once."),
        "deny": Entry("prompt", "deny", "Refuse what an agent asks for."),
        "answer": Entry("prompt", "answer", "Answer what an agent asks with one of the options it offers."),
        "interrupt": Entry("prompt", "interrupt", "End an agent's running turn in the agent's own way."),
        "why": WHY,
        "keys": Entry("agent", "keys", "Press keys in an agent's pane."),
        "wait": WAIT,
        "attach": ATTACH,
        "start": Entry("agent", "start", "Start a stopped agent, or one in quarantine."),
        "stop": Entry("agent", "stop", "Stop an agent in order; it stays stopped."),
        "restart": Entry("agent", "restart", "Stop an agent in order and start it again."),
        "kill": Entry("agent", "kill", "Kill an agent at once; it stays stopped."),
        "remove": Entry("agent", "remove", "Stop an agent and forget it."),
        "adopt": Entry("agent", "adopt", "Take over a pane that already runs."),
        "kinds": Entry("kinds", "kinds", "List the kinds of agents, and which are installed."),
    },
)

TEAM = Noun(
    "Teams: agents with one restart strategy.",
    {
        "create": Entry("team", "create", "Make an empty team."),
        "list": Entry("team", "list_teams", "List the teams."),
        "status": Entry("team", "status", "Show a team and its agents."),
        "broadcast": Entry("team", "broadcast", "Send a message to every agent of a team."),
        "apply": Entry("team", "apply", "Make a team what its file says, touching only what differs."),
        "start": Entry("team", "start", "Start a team's agents, in order."),
        "stop": Entry("team", "stop", "Stop a team's agents, in reverse order."),
        "remove": Entry("team", "remove", "Stop a team and forget it with its agents."),
    },
)

MESSAGE = Noun(
    "Messages: what was sent, and how far it came.",
    {
        "send": SEND,
        "list": Entry("message", "list_messages", "List the newest messages."),
        "show": Entry("message", "show", "Show one message with its history."),
        "dead-letters": Entry("message", "dead_letters", "List the messages that will not arrive by themselves."),
        "cancel": Entry("message", "cancel", "Take back a message that has not reached its receiver."),
        "ack": Entry("message", "ack", "Say, as its receiver, that a message has arrived."),
        "reply": Entry(
            "message",
            "reply",
            "Answer a message: it is answered then, and an agent that sent it gets the answer as a message.",
        ),
        "redeliver": Entry("message", "redeliver", "Try once more to deliver a message."),
    },
)

EVENT = Noun(
    "Events: everything that happened, in order.",
    {
        "list": Entry("event", "list_events", "List the newest events."),
        "follow": Entry("event", "follow", "Print events as they happen, until interrupted."),
    },
)

SESSION = Noun(
    "tmux sessions that belong to the teams.",
    {
        "list": Entry("session", "list_sessions", "List our tmux sessions."),
        "attach": Entry("session", "attach", "Hand the terminal to a team's session."),
    },
)

DAEMON = Noun(
    "The supervisor process itself.",
    {
        "start": Entry("daemon", "start", "Start the supervisor, unless it runs."),
        "stop": Entry("daemon", "stop", "Stop the supervisor; agents go on running."),
        "restart": Entry("daemon", "restart", "Stop the supervisor and start it again; agents go on running."),
        "status": Entry("daemon", "status", "Show the supervisor process; starts none."),
        "logs": Entry("daemon", "logs", "Print the end of the supervisor's log."),
    },
)

CONFIG = Noun(
    "The configuration file.",
    {
        "show": Entry("config", "show", "Show every setting with its value."),
        "path": Entry("config", "path", "Print where the configuration file is."),
        "check": Entry("config", "check", "Check a configuration file."),
    },
)

SECTIONS: dict[str, dict[str, Entry | Noun]] = {
    "Everyday": {
        "spawn": SPAWN,
        "list": LIST,
        "status": Entry("status", "status", "Show the whole system at a glance."),
        "send": SEND,
        "screen": SCREEN,
        "why": WHY,
        "wait": WAIT,
        "attach": ATTACH,
    },
    "Nouns": {
        "agent": AGENT,
        "team": TEAM,
        "message": MESSAGE,
        "event": EVENT,
        "session": SESSION,
        "daemon": DAEMON,
        "config": CONFIG,
    },
    "Help": {
        "demo": Entry("demo", "demo", "Watch a team at work in a throwaway instance, in under a minute."),
        "doctor": Entry("doctor", "doctor", "Check the installation and say how to mend it."),
        "detect": Entry("detect", "detect", "Say what state a screen means, and by which rules."),
        "reflect": Entry("reflect", "reflect", "Describe every command, its parameters and its result."),
        "completion": Entry("completion", "completion", "Print the completion script of a shell."),
    },
}

ROOT: dict[str, Entry | Noun] = {name: node for section in SECTIONS.values() for name, node in section.items()}


def walk() -> dict[tuple[str, ...], Entry]:
    """Every command by its words, in the order of the help."""
    found: dict[tuple[str, ...], Entry] = {}
    for name, node in ROOT.items():
        if isinstance(node, Entry):
            found[(name,)] = node
        else:
            found |= {(name, verb): entry for verb, entry in node.commands.items()}
    return found


def with_verb(verb: str) -> list[str]:
    """The commands that a verb without its noun may have meant."""
    return [" ".join(words) for words in walk() if len(words) > 1 and words[1] == verb]
