"""Shape: reads the text of `contract.toml` into its clauses, and explains what does not fit."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date, time
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from services.contract.clause import ENV_REMEDY, Clause
from services.contract.clauses import File
from services.contract.faults import ContractError, Fault, nearest
from services.places import Places

_SHOWN_MAX = 80


def read_shape(path: Path) -> tuple[File, Places]:
    """The clauses of the file and where each stands. Raises ContractError with all that does not fit."""
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ContractError(path, [Fault(1, "contract", reason, "give a file that can be read")]) from error
    except UnicodeDecodeError as error:
        raise ContractError(path, [Fault(1, "contract", "not UTF-8", "save the file as UTF-8")]) from error
    except tomllib.TOMLDecodeError as error:
        raise ContractError(path, [_syntax(str(error))]) from error
    places = Places(text)
    try:
        return File.model_validate(raw), places
    except ValidationError as error:
        raise ContractError(path, [_explain(fault, places) for fault in error.errors()]) from None


def _syntax(reason: str) -> Fault:
    what, _, where = reason.partition(" (at line ")
    line = int(where.partition(",")[0]) if where else 1
    return Fault(line, "TOML", what, "correct the line; strings need quotes, each name may be given once")


def _explain(fault: Any, places: Places) -> Fault:
    parts, _ = _followed(fault["loc"])
    line, name = places.line(parts), dotted(parts)
    kind, value = fault["type"], fault["input"]
    if kind == "extra_forbidden":
        holder = _followed(fault["loc"][:-1])[1]
        known = holder.model_fields if isinstance(holder, type) and issubclass(holder, BaseModel) else {}
        return Fault(line, name, shown(value), f"nothing reads this field; {nearest(str(parts[-1]), known)}")
    if kind.startswith("union_tag"):
        return Fault(line, f"{name}.kind", shown(value.get("kind", "missing")), "give webhook, smtp or log")
    remedy = _remedy(fault["loc"])
    if kind == "missing":
        return Fault(line, name, "missing", remedy)
    return Fault(line, name, "(not shown)" if remedy == ENV_REMEDY else shown(value), remedy)


def _followed(loc: Sequence[str | int]) -> tuple[tuple[str | int, ...], Any]:
    """The path in the file, without pydantic's own marks of a union's branch, and the type that it leads to."""
    parts: list[str | int] = []
    at: Any = File
    for part in loc:
        branches = [one for one in members_of(at) if isinstance(one, type) and issubclass(one, Clause)]
        if len(branches) > 1 and isinstance(part, str):
            at = next(one for one in branches if part in get_args(one.model_fields["kind"].annotation))
            continue
        if part == "[key]":
            continue
        parts.append(part)
        if isinstance(part, int):
            at = next(iter(get_args(_present(at))), None)
        elif branches and part in branches[0].model_fields:
            at = branches[0].model_fields[part].annotation
        else:
            at = None
    found = next((one for one in members_of(at) if isinstance(one, type) and issubclass(one, Clause)), None)
    return tuple(parts), found


def members_of(annotation: Any) -> tuple[Any, ...]:
    """The types that an annotation allows, without the marks around them."""
    if hasattr(annotation, "__metadata__"):
        return members_of(annotation.__origin__)
    if get_origin(annotation) in (Union, UnionType):
        return tuple(member for one in get_args(annotation) for member in members_of(one))
    return (annotation,)


def _present(annotation: Any) -> Any:
    return next((one for one in members_of(annotation) if one is not type(None)), annotation)


def _remedy(loc: Sequence[str | int]) -> str:
    """What the field's own declaration says to write instead: of the innermost field that says something."""
    for length in range(len(loc), 0, -1):
        holder, name = _followed(loc[: length - 1])[1] or (File if length == 1 else None), loc[length - 1]
        if holder is not None and isinstance(name, str) and name in holder.model_fields:
            extra = holder.model_fields[name].json_schema_extra
            if isinstance(extra, dict):
                return str(extra["remedy"])
    return "correct the value"


def dotted(parts: Sequence[str | int]) -> str:
    """`objective[0].within_s`, as one reads it."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def shown(value: object) -> str:
    """The value as the file would hold it, cut where it is long."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, date | time):
        text = value.isoformat()
    else:
        text = repr(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"
