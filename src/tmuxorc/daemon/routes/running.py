"""Requests to agents that run: about their prompts, turns and hooks, and the reasons for the state shown."""

import trio

from tmuxorc.actors.services import Desk, Services
from tmuxorc.errors import NotFoundError, RefusedError
from tmuxorc.model import Clue, Why
from tmuxorc.wire import methods as m


def _desk(services: Services, address: str) -> Desk:
    desk = services.desks.get(address)
    if desk is None:
        raise RefusedError(f"{address} is not running", hint=f"tmux-orc agent start {address}")
    return desk


async def answer(services: Services, params: m.AnswerPrompt) -> m.Answered:
    """Answer the prompt; what was answered, and how, is an event."""
    address = services.roster.resolve(params.target).spec.address
    prompt = await _desk(services, address).answer(params.choice)
    services.events.publish(
        "agent.answered",
        address,
        verdict=params.choice.verdict.value,
        key=params.choice.key,
        prompt=prompt.id,
        asked=prompt.command or prompt.question,
    )
    return m.Answered(address=address, prompt=prompt)


async def interrupt(services: Services, params: m.Target) -> m.Done:
    """End the running turn."""
    address = services.roster.resolve(params.target).spec.address
    way = await _desk(services, address).interrupt()
    services.events.publish("agent.interrupted", address, way=way)
    return m.Done(changed=True, message=f"{address} was interrupted")


async def why(services: Services, params: m.Target) -> Why:
    """The evidence for the agent's state; of one that does not run, how it ended."""
    await trio.lowlevel.checkpoint()
    row = services.roster.resolve(params.target)
    desk = services.desks.get(row.spec.address)
    if desk is not None:
        return desk.why()
    last = row.last_exit
    ended = (
        () if last is None else (Clue(source="process", seen=last.message, age_s=0.0, state=row.state, decides=True),)
    )
    return Why(address=row.spec.address, state=row.state, detail=row.detail, since=row.state_since, clues=ended)


async def hook(services: Services, params: m.HookReport) -> m.HookReply:
    """Pass a hook's event to the agent's channel; an agent that does not run has nothing to be told."""
    desk = services.desks.get(params.agent)
    if desk is None:
        raise NotFoundError(f"there is no running agent {params.agent!r}")
    printed = await desk.hook(params.event, params.payload.encode())
    return m.HookReply(print=printed.decode(errors="replace"))
