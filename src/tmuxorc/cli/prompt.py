"""Commands about what an agent asks, what it is doing, and why that is believed."""

from typing import Annotated

from tmuxorc.cli._app import App
from tmuxorc.cli._declare import Arg, Opt, command
from tmuxorc.cli._options import AgentTarget
from tmuxorc.model import Choice, Verdict, Why
from tmuxorc.wire.methods import (
    AGENT_ANSWER,
    AGENT_INTERRUPT,
    AGENT_WHY,
    Answered,
    AnswerPrompt,
    Done,
    Target,
)

Expect = Annotated[
    str,
    Opt("--expect", metavar="TEXT", help="Answer only if what it asks holds this text; else nothing is done."),
]


@command("tmux-orc agent approve alice", 'tmux-orc agent approve alice --expect "make test"')
async def approve(app: App, target: AgentTarget, *, expect: Expect = "") -> Answered:
    """Allow what an agent asks for, once.

    The answer meets the prompt that is open now, or nothing: if it has changed meanwhile, or somebody was first, it is
    refused.
    """
    return await _answer(app, target, Choice(verdict=Verdict.APPROVE, expect=expect))


@command("tmux-orc agent deny alice")
async def deny(app: App, target: AgentTarget, *, expect: Expect = "") -> Answered:
    """Refuse what an agent asks for."""
    return await _answer(app, target, Choice(verdict=Verdict.DENY, expect=expect))


@command("tmux-orc agent answer alice 2", "tmux-orc agent info alice")
async def answer(
    app: App,
    target: AgentTarget,
    option: Annotated[str, Arg(metavar="OPTION", help="One of the options that `agent info` shows.")],
    *,
    expect: Expect = "",
) -> Answered:
    """Answer what an agent asks with one of the options it offers."""
    return await _answer(app, target, Choice(verdict=Verdict.ANSWER, key=option, expect=expect))


async def _answer(app: App, target: str, choice: Choice) -> Answered:
    return await app.call(AGENT_ANSWER, AnswerPrompt(target=target, choice=choice))


@command("tmux-orc agent interrupt alice")
async def interrupt(app: App, target: AgentTarget) -> Done:
    """End an agent's running turn in the agent's own way.

    A prompt is never answered by it: that is refused.
    """
    return await app.call(AGENT_INTERRUPT, Target(target=target))


@command("tmux-orc why alice", "tmux-orc why review/lead --json")
async def why(app: App, target: AgentTarget) -> Why:
    """Show why an agent is thought to be in its state: every piece of evidence, with its source and age."""
    return await app.call(AGENT_WHY, Target(target=target))
