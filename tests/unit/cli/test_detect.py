"""``tmux-orc detect``: a screen from standard input or a file, and what the rules say of it."""

import io
from pathlib import Path
from typing import Any

import pytest

from tests.support import Home
from tmuxorc.cli.detect import read_screen
from tmuxorc.paths import find_paths

RULE = "─" * 20
IDLE = f"> hi\n● hello\n{RULE}\n❯\n{RULE}\n  ? for help\n"
BUSY = f"> hi\n{RULE}\n❯\n{RULE}\n  esc to interrupt\n"
DIALOG = f"{RULE}\n Run: rm -rf build\n Enter to approve\n"


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts text, or bytes, on standard input."""

    def put(text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


@pytest.mark.parametrize(
    ("screen", "state", "details"), [(IDLE, "idle", ""), (BUSY, "busy", ""), (DIALOG, "blocked", "rm -rf build")]
)
def test_a_screen_and_its_state(screen: str, state: str, details: str, cmd: Any, stdin: Any) -> None:
    stdin(screen)
    found = cmd("detect --kind demo --json").json
    assert (found["state"], found["details"], found["kind"]) == (state, details, "demo")
    assert found["rule"] == found["evidence"][0]["rule"]
    assert found["evidence"][0]["match"]


def test_people_see_the_rules_that_hold(cmd: Any, stdin: Any) -> None:
    stdin(DIALOG)
    shown = cmd("detect --kind demo").out
    assert "blocked" in shown
    assert "states[0]" in shown


def test_escape_sequences_change_nothing(cmd: Any, stdin: Any) -> None:
    """As ``capture-pane -e`` writes them: colours, hyperlinks, shifts; and coloured blanks at a line's end."""
    painted = IDLE.replace("❯", "\x1b[1;38:2::1:2:3m❯\x1b[0m\x1b[44m  \x1b[0m")
    stdin(painted.replace("hello", "\x1b]8;;http://x\x1b\\hel\x0elo\x0f\x1b]8;;\x07"))
    assert cmd("detect -k demo --json").json["state"] == "idle"
    assert read_screen("\x1b[1ma\x1b[0m b \x1b(B\nc\x1b", coloured=False).lines == ("a b", "c")


def test_faint_text_is_told_from_a_draft() -> None:
    """For kinds that ask, of a screen that came with colours."""
    screen = "> \x1b[2mAsk anything\x1b[0m\n"
    assert read_screen(screen, coloured=True).solid == (">",)
    assert read_screen(screen, coloured=False).solid == ()
    assert read_screen("> Ask anything\n", coloured=True).solid == ()


@pytest.mark.parametrize("screen", ["", "\n", "\n\n\n", b"\xff\xfe\x00", "no frame at all\n"])
def test_what_no_rule_knows_is_unknown(screen: str | bytes, cmd: Any, stdin: Any) -> None:
    """An empty screen first of all."""
    stdin(screen)
    found = cmd("detect --kind demo --json").json
    assert (found["state"], found["rule"], found["evidence"]) == ("unknown", "", [])


def test_title_channel_hook_and_osc_are_evidence_too(cmd: Any, stdin: Any, home: Home) -> None:
    """Those of a kind that has rules for them; all that hold are listed, the first decides."""
    rules = [("hook", "^Stop$", "idle"), ("channel", "^active", "busy"), ("osc", "working", "busy")]
    put_kind("mine", [*rules, ("title", "^Ready", "idle")])
    stdin("")
    found = cmd(
        "detect",
        "-k",
        "mine",
        "--hook",
        "Stop",
        "--channel",
        "active x",
        "--osc",
        "state=working",
        "--title",
        "Ready\x1b]0;x\x07",
        "--json",
    ).json
    assert [(rule["source"], rule["state"]) for rule in found["evidence"]] == [
        ("hook", "idle"),
        ("channel", "busy"),
        ("osc", "busy"),
        ("title", "idle"),
    ]
    assert found["state"] == "idle"
    assert "\x1b" not in cmd("detect", "-k", "mine", "--hook", "x", "--title", "Ready\x1b]0;x\x07", "-").out


def put_kind(name: str, rules: list[tuple[str, str, str]]) -> None:
    """A kind of the person's own."""
    folder = Path(find_paths().kinds_dir)
    folder.mkdir(parents=True, exist_ok=True)
    states = "".join(f"[[states]]\nregion = '{r}'\nmatch = '{m}'\nstate = '{s}'\n" for r, m, s in rules)
    head = "summary = 'mine'\nseen_on = 'x'\nstate_from = 'screen'\nstop = []\n"
    (folder / f"{name}.toml").write_text(f"{head}[deliver]\nwhen = []\nverify = 'echo'\n{states}")


def test_a_cursor_that_hides_is_said(cmd: Any, stdin: Any, home: Home) -> None:
    """Rules may ask for it, and for the line of the cursor."""
    put_kind("mine", [("cursor", "^here", "idle")])
    stdin("there\nhere\n")
    assert cmd("detect -k mine --cursor 0,1 --cursor-visible no --json").json["state"] == "idle"
    stdin("there\nhere\n")
    assert cmd("detect -k mine --cursor 0,7 --json").json["state"] == "unknown"


def test_a_file_instead_of_standard_input(cmd: Any, tmp_path: Path) -> None:
    (tmp_path / "screen").write_text(BUSY)
    assert cmd(f"detect {tmp_path}/screen --kind demo --json").json["state"] == "busy"
    assert cmd(f"detect {tmp_path}/none --kind demo --json").status == 3


def test_an_unknown_kind_names_the_nearest(cmd: Any, stdin: Any) -> None:
    stdin(IDLE)
    shown = cmd("detect --kind dmo --json")
    assert shown.error["code"] == "unknown_kind"
    assert "'demo'" in shown.error["hint"]


@pytest.mark.parametrize(
    "options", ["--size 20x6 --cursor 21,0", "--size 20x6 --cursor 0,6", "--size 20x3", "--size 20", "--cursor 1;2",
        "--cursor -1,0", "--size ²x3", "--cursor-visible maybe"],
)  # fmt: skip
def test_what_cannot_be_is_a_usage_error(options: str, cmd: Any, stdin: Any) -> None:
    """A cursor outside the size, more lines than the size has, and what is no size at all."""
    stdin(IDLE)
    assert cmd("detect", "--kind", "demo", *options.split()).status == 2


def test_a_size_that_fits(cmd: Any, stdin: Any) -> None:
    stdin(IDLE)
    assert cmd("detect --kind demo --size 20x10 --cursor 2,3 --alternate yes --json").json["state"] == "idle"
