"""Units: how a value in one unit becomes one in another, exactly, by the definitions that Pint keeps."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Conversion:
    """`value * factor + offset`; exact until the last step, so that 1 kWh is 3.6 MJ and not 3.5999999999999996."""

    factor: Fraction
    offset: Fraction = Fraction(0)

    def __call__(self, value: float) -> float:
        return float(Fraction(value) * self.factor + self.offset)


class UnknownUnit(ValueError):
    """Two units of which one is not known, or which measure different things."""


@cache
def conversion(given: str, wanted: str) -> Conversion:
    """From one unit to another. Raises UnknownUnit."""
    from pint import UnitRegistry  # 18 MB, for processes of a project that declares a conversion
    from pint.errors import PintError

    registry: Any = _registry(UnitRegistry)
    try:
        zero, one = (registry.Quantity(Fraction(n), given).to(wanted).magnitude for n in (0, 1))
    except (PintError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        raise UnknownUnit(f"from {given!r} to {wanted!r}: {error}") from error
    return Conversion(Fraction(one) - Fraction(zero), Fraction(zero))


@cache
def _registry(kind: Any) -> Any:
    return kind(non_int_type=Fraction)
