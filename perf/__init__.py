"""Benchmarks of tmux-orc, and the gate that holds a change to what was reached; see docs/benchmarks.md."""
