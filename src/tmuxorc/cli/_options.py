"""Parameters that several commands share, so that one thing has one name, one help and one completion everywhere."""

from typing import Annotated

from tmuxorc.cli import _complete, _read
from tmuxorc.cli._declare import Arg, Opt
from tmuxorc.model import Rung

AgentTarget = Annotated[
    str,
    Arg(metavar="AGENT", help="team/name, or a bare name while it is the only one.", complete=_complete.agents),
]
TeamTarget = Annotated[str, Arg(metavar="TEAM", help="The team's name.", complete=_complete.teams)]
Timeout = Annotated[
    float, Opt("--timeout", metavar="TIME", read=_read.seconds, help="How long to wait (30s, 5m, 1h; plain: seconds).")
]
Grace = Annotated[
    float | None,
    Opt(
        "--grace",
        metavar="TIME",
        read=_read.seconds,
        help="How long it may take to end by itself before it is killed; else the agent's own setting.",
    ),
]
MessageText = Annotated[
    str | None,
    Arg(metavar="[TEXT]", read=_read.text_or_stdin, help="The message; - reads standard input."),
]
TextFile = Annotated[
    str | None,
    Opt(
        "--file",
        "-f",
        metavar="FILE",
        read=_read.file,
        help="Read the message from this file.",
        complete="file",
        local=True,
    ),
]
Sender = Annotated[
    str, Opt("--from", metavar="NAME", help="Who is speaking, as the receiver sees it.", complete=_complete.agents)
]
WaitRung = Annotated[
    Rung | None,
    Opt("--wait", metavar="RUNG", help="Answer only when it has come so far: staged, submitted, or taken_in."),
]
