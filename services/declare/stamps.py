"""Stamps: points in time as sources write them: numbers since 1970, ISO 8601, or a format of their own in a zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

TimeUnit = Literal["s", "ms", "us", "ns"]
_PER_MS: dict[str, Decimal] = {"s": Decimal(1_000), "ms": Decimal(1), "us": Decimal("0.001"), "ns": Decimal("0.000001")}


@dataclass(frozen=True, slots=True)
class GivenTime:
    """A time as the source gives it. `path`: where it stands in a record.

    `unit`: a number since 1970 in s, ms, us or ns. Else a text: by `format` (`%d.%m.%Y %H:%M`, as strptime reads it),
    or ISO 8601. `zone`: the IANA zone of a text without an offset; an hour that comes twice there is its first, as the
    text does not tell.
    """

    path: str | tuple[str | int, ...]
    format: str = ""
    zone: str = ""
    unit: TimeUnit | Literal[""] = ""

    def problem(self) -> str | None:
        """What cannot be meant, as a remedy."""
        if self.unit:
            if self.unit not in get_args(TimeUnit):
                return f"give a unit of {', '.join(get_args(TimeUnit))}, or leave it out for a text"
            return "a number since 1970 has no format and no zone; leave them out" if self.format or self.zone else None
        if self.zone:
            try:
                _zone(self.zone)
            except (ValueError, OSError, LookupError):
                return 'give an IANA time zone such as "Europe/Berlin"'
        if self.format:
            return self._format_problem()
        return None

    def _format_problem(self) -> str | None:
        try:
            told = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
            datetime.strptime(told.strftime(self.format), self.format)  # noqa: DTZ007
        except ValueError as error:
            return f"{error}; give a format such as %Y-%m-%d %H:%M:%S"
        if "%z" not in self.format and not self.zone:
            return "the format has no offset (%z); give the zone that its times are in"
        if not any(day in self.format for day in ("%d", "%j", "%c", "%x", "%D")):
            return "the format has no day; a time needs one"
        return None

    def moment(self, value: Any) -> int:
        """Milliseconds since 1970. Raises ValueError with the remedy."""
        if self.unit:
            return self._counted(value)
        if isinstance(value, datetime):  # of a database
            return self._stamp(value)
        if not isinstance(value, str):
            raise ValueError(f"{str(value)[:40]!r}: {type(value).__name__}, not a text; give the unit of a number")
        text = value.strip()
        try:
            read = datetime.strptime(text, self.format) if self.format else datetime.fromisoformat(text)  # noqa: DTZ007
        except ValueError:
            wanted = self.format or "ISO 8601, such as 2026-01-31T09:00:00Z"
            raise ValueError(f"{text[:40]!r}; send {wanted}") from None
        return self._stamp(read)

    def _counted(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
            raise ValueError(f"{str(value)[:40]!r}; send a number since 1970 in {self.unit}")
        try:
            # by its decimal digits: half a millisecond of a float would go either way
            return int(Decimal(str(value)) * _PER_MS[self.unit])
        except ArithmeticError:
            raise ValueError(f"{str(value)[:40]!r}; send a number since 1970 in {self.unit}") from None

    def _stamp(self, moment: datetime) -> int:
        if moment.tzinfo is None:
            if not self.zone:
                raise ValueError(f"{moment.isoformat()!r}: without an offset; give its zone in the mapping")
            moment = moment.replace(tzinfo=_zone(self.zone))
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000

    def example(self) -> Any:
        """A time as the source would send it."""
        told = datetime(2026, 1, 1, 12, tzinfo=UTC)
        if self.unit:
            return int(int(told.timestamp()) * 1_000 / _PER_MS[self.unit])
        here = told.astimezone(_zone(self.zone)) if self.zone else told
        return here.strftime(self.format) if self.format else here.isoformat()

    def described(self) -> dict[str, str]:
        """In plain properties, those that are said."""
        said = {"unit": f"{self.unit} since 1970" if self.unit else "", "format": self.format, "zone": self.zone}
        return {name: value for name, value in said.items() if value}


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
