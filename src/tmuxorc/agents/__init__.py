"""What is known of each agent program: how to start it, read its state, and type to it.

Knowledge is data (`kinds/*.toml`, decoded by `tmuxorc.agents.kinds`); reading it is plain code (`detect`, `frame`,
`escapes`).  Nothing is imported before it is asked for: the demo agent below this package starts as fast as a bare
interpreter.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tmuxorc.agents.detect import Detector as Detector
    from tmuxorc.agents.escapes import EscapeScanner as EscapeScanner
    from tmuxorc.agents.kinds import Kind as Kind
    from tmuxorc.agents.kinds import UnknownKindError as UnknownKindError
    from tmuxorc.agents.kinds import find_kind as find_kind
    from tmuxorc.agents.kinds import load_kinds as load_kinds
    from tmuxorc.agents.schema import StateFrom as StateFrom
    from tmuxorc.agents.schema import StopStep as StopStep

_HOMES = {
    "Detector": "detect",
    "EscapeScanner": "escapes",
    "Kind": "kinds",
    "StateFrom": "schema",
    "StopStep": "schema",
    "UnknownKindError": "kinds",
    "find_kind": "kinds",
    "load_kinds": "kinds",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
