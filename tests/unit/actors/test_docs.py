"""docs/actors.md says what is true: its example is run, its public names exist, and the clauses are all there."""

import re
import subprocess
import sys
from pathlib import Path

import tmuxorc.actors

DOCS = Path(__file__).parents[3] / "docs"


def blocks(language: str) -> list[str]:
    text = (DOCS / "actors.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_worked_example_prints_what_it_says() -> None:
    """The program on the page, run as it stands in a process of its own; … in the output stands for anything."""
    (program,), (printed,) = blocks("python"), blocks("text")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    pattern = re.escape(printed).replace("…", ".*")
    assert re.fullmatch(pattern, done.stdout), done.stdout + done.stderr


def test_names_on_the_page_are_public() -> None:
    """Every class the page names in code is exported, or a well-known one from elsewhere."""
    text = (DOCS / "actors.md").read_text()
    named = set(re.findall(r"`([A-Z][A-Za-z]+)(?:\(|`|\[)", text))
    elsewhere = {"TmuxOrcError", "SupervisorCore"}
    assert named - elsewhere <= set(dir(tmuxorc.actors))


def test_the_public_surface() -> None:
    """What `tmuxorc.actors` exports is chosen, not accidental."""
    exported = {n for n in vars(tmuxorc.actors) if not n.startswith("_") and n[0].isupper()}
    functions = {"open_system", "supervisor_child"}
    assert exported == {
        *("Actor", "ActorContext", "ActorDied", "ActorStatistics", "AutoShutdown", "Backoff", "CallDirectionError"),
        *("CallTimeout", "ChildExited", "ChildInfo", "ChildLeaked", "ChildQuarantined", "ChildSpec", "ChildStarted"),
        *("ChildStartFailed", "ChildStatus", "ChildStopped", "DeadLetter", "DeadLetters", "DeadReason"),
        *("DuplicateChild", "ExitReason", "Failed", "Finished", "GaveUp", "Killed", "LifecycleEvent", "MailboxFull"),
        *("NoSuchActor", "NotUnderstood", "Ref", "Reply", "Request", "Restart", "RestartScheduled", "StartFailed"),
        *("StartTimedOut", "StartTimeout", "Stopped", "StoppedLate", "Strategy", "Superseded", "Supervisor"),
        *("SupervisorGaveUp", "SupervisorRef", "SupervisorSpec", "System"),
    }
    assert functions <= set(vars(tmuxorc.actors))


def test_every_clause_is_in_the_contract_and_in_a_test() -> None:
    """S1 to S24 stand in docs/semantics.md, and a test of the runtime or of the agents cites each."""
    clauses = re.findall(r"^- \*\*(S\d+)\*\*", (DOCS / "semantics.md").read_text(), re.MULTILINE)
    assert clauses == [f"S{n}" for n in range(1, 25)]
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    cited = set(re.findall(r"\bS\d+\b", tests))
    for first, last in re.findall(r"\bS(\d+) to S(\d+)\b", tests):
        cited |= {f"S{n}" for n in range(int(first), int(last) + 1)}
    about_agents = {"S14", "S15", "S16"}
    assert set(clauses) - about_agents <= cited
