"""``python -m tmuxorc.cli`` is ``tmux-orc``."""

from tmuxorc.cli import main

main()
