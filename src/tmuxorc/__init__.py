"""tmux-orc: a supervisor of terminal agents that live in tmux panes.

Importing this package costs nothing: the parts are imported by name (``tmuxorc.actors``, ``tmuxorc.tmux`` …).
"""

__version__ = "0.1.0"
