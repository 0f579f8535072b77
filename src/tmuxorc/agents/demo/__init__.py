"""A small agent program of our own that behaves like the real ones at the terminal, scripted by its messages.

Run it with ``python -I -m tmuxorc.agents.demo``.  Only the standard library is imported, and little of it: a hundred of
these run beside each other on two cores.
"""
