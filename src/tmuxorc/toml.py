"""TOML files into frozen structs, with errors that name the file, the key and the nearest known key.

Knows nothing of what the files are for: the configuration, team files and agent kinds are all read here.
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

import msgspec

from tmuxorc.errors import ConfigError
from tmuxorc.names import nearest

T = TypeVar("T")
Step = str | int
KeyPath = tuple[Step, ...]


def read_toml(path: str, type_: type[T]) -> T:
    """Decode the TOML file at `path` as `type_`, a struct that forbids unknown fields.

    Raises `FileNotFoundError`, and `ConfigError` for everything else that can be wrong with it.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", details={"file": path}) from error
    return parse_toml(data, type_, path)


def parse_toml(data: bytes, type_: type[T], path: str) -> T:
    """`read_toml` for bytes already read; `path` only names them in errors."""
    try:
        table = msgspec.toml.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} is not valid TOML: {error}", hint="see what TOML allows: https://toml.io", details={"file": path}
        ) from error
    for unknown in _unknown_keys(table, type_):
        raise _unknown_key(path, unknown, type_)
    try:
        return msgspec.convert(table, type_)
    except msgspec.ValidationError as error:
        raise _bad_value(path, str(error), type_) from error


def in_words(type_: Any) -> str:
    """A type with its limits, for people: ``integer from 0 to 100``, ``"full" or "normal"``."""
    bare = _bare(type_)
    if isinstance(bare, type) and issubclass(bare, Enum):
        return " or ".join(f'"{member.value}"' for member in bare)
    if get_origin(bare) is tuple and Ellipsis not in get_args(bare):
        return f"array [{', '.join(in_words(item) for item in get_args(bare))}]"
    if get_origin(bare) in (tuple, list):
        return f"array of {in_words(get_args(bare)[0])}"
    return _WORDS.get(bare, "table") + _limits(type_)


def doc_of(type_: Any) -> str:
    """The description an annotated type carries, or nothing."""
    return next((meta.description or "" for meta in _metas(type_)), "")


_WORDS: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_OUR_WORDS = {
    "object": "a table",
    "array": "an array",
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
}


def _metas(type_: Any) -> list[msgspec.Meta]:
    return [meta for meta in getattr(type_, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]


def _limits(type_: Any) -> str:
    for meta in _metas(type_):
        if meta.ge is not None and meta.le is not None:
            return f" from {meta.ge} to {meta.le}"
        if meta.pattern is not None:
            return f" matching `{meta.pattern}`"
    return ""


def _bare(type_: Any) -> Any:
    """The type without its annotations and without ``None``."""
    if get_origin(type_) is Annotated:
        return _bare(get_args(type_)[0])
    if get_origin(type_) in (Union, UnionType):
        return _bare(next(arg for arg in get_args(type_) if arg is not type(None)))
    return type_


def _fields(type_: Any) -> dict[str, Any]:
    """The keys of a table of this type with the types of their values; empty if it is not a struct."""
    bare = _bare(type_)
    if not (isinstance(bare, type) and issubclass(bare, msgspec.Struct)):
        return {}
    return {field.encode_name: field.type for field in msgspec.structs.fields(bare)}


def _inner(type_: Any, step: Step) -> Any:
    """The type of what stands at `step` in a value of `type_`; None if that is not known."""
    bare = _bare(type_)
    if fields := _fields(bare):
        return fields.get(str(step))
    arguments = get_args(bare)
    if get_origin(bare) is dict:
        return arguments[1]
    if get_origin(bare) is tuple and Ellipsis not in arguments:
        return arguments[step] if isinstance(step, int) and step < len(arguments) else None
    return arguments[0] if arguments else None


def _unknown_keys(value: Any, type_: Any, at: KeyPath = ()) -> Iterator[KeyPath]:
    """Where `value` has a key that `type_` has no field for, outermost first."""
    known = _fields(type_)
    for step, inner in _entries(value):
        if known and isinstance(step, str) and step not in known:
            yield (*at, step)
        else:
            yield from _unknown_keys(inner, _inner(type_, step), (*at, step))


def _entries(value: Any) -> Iterator[tuple[Step, Any]]:
    if isinstance(value, dict):
        yield from cast("dict[str, Any]", value).items()
    elif isinstance(value, list):
        yield from enumerate(cast("Iterable[Any]", value))


def _known_keys(type_: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, inner in _fields(type_).items():
        yield (*at, name)
        yield from _known_keys(inner, (*at, name))


def _dotted(path: KeyPath) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _unknown_key(file: str, path: KeyPath, type_: Any) -> ConfigError:
    key, known = _dotted(path), _nearest_key(path, type_)
    details = {"file": file, "key": key, "nearest": known}
    return ConfigError(f"{file}: unknown key '{key}'", hint=_did_you_mean(path, known, type_), details=details)


def _did_you_mean(path: KeyPath, known: str | None, type_: Any) -> str:
    if known is not None:
        return f"did you mean '{known}'?"
    return f"known here: {', '.join(_fields(_type_at(type_, path[:-1])))}"


def _nearest_key(path: KeyPath, type_: Any) -> str | None:
    """A key of the same table that is spelled alike, else one of that very name in another table."""
    *above, last = path
    sibling = nearest(str(last), _fields(_type_at(type_, tuple(above))))
    if sibling is not None:
        return _dotted((*above, sibling))
    elsewhere = {known[-1]: _dotted(known) for known in _known_keys(type_)}
    return elsewhere.get(nearest(str(last), elsewhere) or "")


def _type_at(type_: Any, path: KeyPath) -> Any:
    for step in path:
        type_ = _inner(type_, step)
    return type_


def _bad_value(file: str, message: str, type_: Any) -> ConfigError:
    """The message of msgspec with the key in front and our names for types; it ends in ``$.table.key``."""
    said, _, where = message.partition(" - at `$")
    path = tuple(_step(part) for part in re.findall(r"[^.\[\]]+", where.rstrip("`").replace("[...]", ".*")))
    said = re.sub(r"`(\w+)(?: \| null)?`", lambda match: _OUR_WORDS.get(match[1], match[1]), said)
    key, wanted = _dotted(path), _type_at(type_, path)
    details = {"file": file, "key": key}
    hint = f"'{key}' is {_article(in_words(wanted))}" if wanted is not None else ""
    return ConfigError(f"{file}: {key or 'the file'}: {said[:1].lower()}{said[1:]}", hint=hint, details=details)


def _step(part: str) -> Step:
    return int(part) if part.isdecimal() else part


def _article(words: str) -> str:
    if words.startswith('"'):
        return words
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"
