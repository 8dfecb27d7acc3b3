"""Clause: what every table of `contract.toml` is made of: a field with its remedy, and forms of text."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_SLUG = re.compile(r"^[a-z][a-z0-9-]{0,62}$")
_VARIABLE = re.compile(r"^[A-Z][A-Z0-9_]*$")
_HOURS = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)\s*[-–]\s*(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$")


def field(remedy: str, default: Any = ..., **limits: Any) -> Any:
    """A field and what to write instead where its value cannot be used."""
    return Field(default, json_schema_extra={"remedy": remedy}, **limits)


def _matching(pattern: re.Pattern[str]) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.match(text):
            raise ValueError("not of that form")
        return text

    return AfterValidator(check)


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("empty")
    return text.strip()


Slug = Annotated[str, _matching(_SLUG)]
Variable = Annotated[str, _matching(_VARIABLE)]
Words = Annotated[str, AfterValidator(_said)]
Hours = Annotated[str, _matching(_HOURS)]

NAME = "give a name of lower-case letters, digits and -, starting with a letter, for example board-latency"
WORDS = "say it in words, for example "
ENV_REMEDY = "name the environment variable that holds it, in capitals, for example ALERTS_URL; never the secret itself"


class Clause(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
