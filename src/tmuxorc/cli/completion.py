"""Shell completion: the scripts, and the answers they ask for.

The scripts and their protocol are asyncclick's; what is ours is that nothing here may start a supervisor, be slow, or
say a word when something is wrong.
"""

import os
import sys
from typing import Annotated, Literal

from tmuxorc.cli._app import App
from tmuxorc.cli._declare import Arg, command
from tmuxorc.model import Frozen

Shell = Literal["bash", "zsh", "fish"]


AMENDED = {
    "bash": (
        "COMPREPLY+=($value)",
        """[[ ${COMP_WORDS[COMP_CWORD]} == [\\'\\"]* ]] || printf -v value %q "$value"; COMPREPLY+=("$value")""",
    ),
    "fish": ('string split ","', 'string split --max 1 ","'),
}
"""In asyncclick's scripts bash takes ``main/*`` for a pattern, and fish ends a description at its first comma."""


class Script(Frozen):
    """A completion script, to be sourced by `shell`."""

    shell: str
    script: str


@command(
    'eval "$(tmux-orc completion bash)"          # in ~/.bashrc',
    'eval "$(tmux-orc completion zsh)"           # in ~/.zshrc',
    "tmux-orc completion fish > ~/.config/fish/completions/tmux-orc.fish",
)
async def completion(_: App, shell: Annotated[Shell, Arg(metavar="SHELL", help="bash, zsh or fish.")]) -> Script:
    """Print the completion script of a shell.

    It completes commands, options, and the names of the agents and teams there are.
    """
    from asyncclick.shell_completion import get_completion_class

    from tmuxorc.cli._group import PROGRAM, Root
    from tmuxorc.cli._main import COMPLETE_VARIABLE

    kind = get_completion_class(shell)
    assert kind is not None
    words = kind(Root(), {}, PROGRAM, COMPLETE_VARIABLE)
    script = words.source_template % words.source_vars()
    return Script(shell=shell, script=script.replace(*AMENDED.get(shell, ("", ""))))


def complete(instruction: str) -> int:
    """Answer a completion script (`instruction` is ``bash_complete`` and so on); 1 and silence if that fails."""
    from asyncclick.shell_completion import shell_complete

    from tmuxorc.cli._group import PROGRAM, Root
    from tmuxorc.cli._main import COMPLETE_VARIABLE, drive

    with open(os.devnull, "w") as nowhere:
        sys.stderr = nowhere
        try:
            status = drive(shell_complete(Root(), {}, PROGRAM, COMPLETE_VARIABLE, instruction))
            sys.stdout.flush()
        except (Exception, SystemExit, KeyboardInterrupt):  # noqa: BLE001 - a key press is never answered by a traceback
            return 1
        finally:
            sys.stderr = sys.__stderr__
    return status
