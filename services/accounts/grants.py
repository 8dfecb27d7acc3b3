"""Grants: what principals were given, as it is now; whoever serves them for long asks again when it changes."""

from __future__ import annotations

from typing import Protocol

from services.accounts.principal import Principal


class Grants(Protocol):
    """What principals were given, as it is now."""

    @property
    def generation(self) -> int:
        """Another number after every change. Asked very often: it must cost nothing."""

    def renewed(self, principal: Principal) -> Principal | None:
        """The principal with its present roles, None where it is signed out."""


class SettledGrants:
    """Grants that never change, as in open mode."""

    generation = 0

    def renewed(self, principal: Principal) -> Principal | None:
        return principal


SETTLED = SettledGrants()
