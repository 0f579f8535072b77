"""A real agent's day: started, spoken to, asked, answered, interrupted, killed, gone on with."""

from tests.e2e.real.world import PEER, World

SILENT = ("aider",)
"""Those whose prompts do not name the command; it stands above them."""

FORGETFUL = ("aider",)
"""Those that cannot go on with a session of their own."""


def test_it_starts_and_says_what_it_does(world: World) -> None:
    """Idle, busy while it answers, idle again; and why is told."""
    assert world.spawn()["state"] == "idle", world.told()
    world.send("SLOW 3", "--wait", "taken_in")
    world.until("busy")
    why = world.orc("why", world.name)
    assert why["state"] == "busy"
    assert any(clue["decides"] for clue in why["clues"])
    world.until("idle")


def test_a_message_that_meets_a_prompt_runs_nothing_and_arrives_afterwards(world: World) -> None:
    """Then the prompt is refused, and nothing has run."""
    world.spawn()
    world.send("TOOL touch made")
    asked = world.prompt()
    assert world.kind in SILENT or "touch made" in asked["command"], asked
    message = world.send("hello while you ask", sender=PEER)
    assert not (world.home.cwd / "made").exists()
    assert world.info()["state"] == "blocked"
    world.orc("agent", "deny", world.name, "--expect", asked["command"])
    world.asked("hello while you ask")
    world.until("idle")
    assert not (world.home.cwd / "made").exists()
    assert world.orc("message", "show", message["id"])["rung"] in ("submitted", "taken_in")


def test_what_is_approved_runs(world: World) -> None:
    world.spawn()
    world.send("TOOL touch made")
    world.orc("agent", "approve", world.name, "--expect", world.prompt()["command"])
    world.look_until((world.home.cwd / "made").exists)
    world.until("idle")
    assert world.refused("agent", "approve", world.name) == "refused"


def test_a_turn_is_interrupted(world: World) -> None:
    world.spawn()
    world.send("SLOW 60", "--wait", "taken_in")
    world.look_until(lambda: "word2" in world.screen())  # a turn that has said nothing gives its prompt back as a draft
    world.orc("agent", "interrupt", world.name)
    world.until("idle")
    world.send("and now", "--wait", "taken_in")
    world.asked("and now")


def test_it_goes_on_with_its_session_after_a_crash(world: World) -> None:
    """And nothing that it had taken in is sent again."""
    world.spawn()
    world.send("remember the word kumquat", "--wait", "taken_in", sender=PEER)
    world.until("idle")
    generation = world.info()["generation"]
    world.kill_agent()
    world.until("idle")
    assert world.info()["generation"] == generation + 1
    world.send("which word", "--wait", "taken_in", sender=PEER)
    world.asked("which word")
    assert world.kind in FORGETFUL or world.told_times("kumquat") == 1


def test_nothing_is_lost_or_doubled_when_the_supervisor_is_killed(world: World) -> None:
    """In the middle of a turn, with messages waiting."""
    world.spawn()
    world.send("SLOW 4", "--wait", "taken_in")
    sent = [world.send(f"number {n} of three", sender=PEER) for n in range(3)]
    world.kill_supervisor()
    world.orc("list")
    for n in range(3):
        world.asked(f"number {n} of three")
    world.until("idle")
    assert [world.told_times(f"number {n} of three") for n in range(3)] == [1, 1, 1]
    for message in sent:
        assert world.orc("message", "show", message["id"])["rung"] in ("submitted", "taken_in"), world.told()


def test_nothing_is_left_when_the_team_has_stopped(world: World) -> None:
    """Neither the agent's helpers nor the process that ran beside it."""
    world.spawn()
    world.send("hello", "--wait", "taken_in")
    world.until("idle")
    world.orc("team", "stop", "main")
    assert world.home.processes() == []
