"""JSON of whatever a `str` may hold: a path need not be UTF-8, and Python then says so with lone surrogates.

On the path of every short command, so it imports nothing that is not loaded already.
"""

from collections.abc import Callable
from typing import Any

import msgspec


def encode(value: Any, *, enc_hook: Callable[[Any], Any] | None = None) -> bytes:
    r"""`value` as JSON on one line; lone surrogates become escapes (``\udcff``), as Python itself writes them."""
    try:
        return msgspec.json.encode(value, enc_hook=enc_hook)
    except UnicodeEncodeError:
        import json  # only needed where a path is not UTF-8

        return json.dumps(msgspec.to_builtins(value, enc_hook=enc_hook), separators=(",", ":")).encode()
