"""Make the picture of the demo anew: run it in a real terminal and write down what stands there at the end.

``python tools/capture_demo.py`` writes ``docs/images/demo.svg`` and the text between the marks in ``README.md``.  The
terminal is a tmux server of its own, 80 columns wide.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from terminal_svg import draw, plain

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "demo.svg"
PAGE = ROOT / "README.md"
BEGIN, END = "<!-- demo-capture: begin -->\n", "<!-- demo-capture: end -->\n"
TITLE = "tmux-orc demo, captured from a terminal"

COLUMNS, ROWS = 80, 120
LONGEST_S = 120

SCRIPT = """printf '$ tmux-orc demo\\n'; tmux-orc demo; printf '$ '; tmux wait-for -S shown; cat"""
BLOCK = """\
![{title}](docs/images/demo.svg)

<details>
<summary>The same as text</summary>

```text
{text}
```

</details>
"""


def environment(home: str) -> dict[str, str]:
    """What a person's terminal has, and nothing of ours."""
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"PATH": programs, "HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8", "TMUX_TMPDIR": home}


def capture() -> str:
    """The terminal's lines after the demo, with their colours."""
    with tempfile.TemporaryDirectory(prefix="tmux-orc-capture-", dir="/tmp") as home:

        def tmux(*words: str) -> str:
            argv = ["tmux", "-u", "-f", "/dev/null", "-L", "capture", *words]
            done = subprocess.run(
                argv, env=environment(home), stdout=subprocess.PIPE, text=True, check=True, timeout=LONGEST_S
            )
            return done.stdout

        tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), SCRIPT)
        try:
            tmux("wait-for", "shown")
            return tmux("capture-pane", "-p", "-e").rstrip("\n")
        finally:
            tmux("kill-server")


def main() -> None:
    """Capture, draw, write."""
    captured = capture().removesuffix("$").rstrip()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(draw(captured, TITLE), encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = "\n".join(line.rstrip() for line in plain(captured).split("\n"))
    PAGE.write_text(before + BEGIN + BLOCK.format(title=TITLE, text=text) + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
