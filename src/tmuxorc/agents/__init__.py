"""What is known of each agent program: how to start it, read its state, and type to it.

Knowledge is data (`kinds/*.toml`, decoded by `tmuxorc.agents.kinds`); reading it is plain code (`detect`, `frame`,
`escapes`).  This module imports nothing: the demo agent below it must start as fast as a bare interpreter.
"""
