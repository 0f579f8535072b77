"""Recordings of the real agent programs: made by `record`, played by `replay` into the whole detector.

`python -m tests.recordings.record AGENT` makes them, offline, against the scripted model of `tests.e2e.agents`;
`python -m tests.recordings.matrix` counts which states are told right.
"""
