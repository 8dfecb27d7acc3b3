"""Check of scope: names that nothing declares, what is declared and in no scope, and what has to come before what."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from services.contract.check import Remark
from services.contract.document import Contract
from services.contract.faults import nearest


def check_scope(
    contract: Contract, pages: Collection[str], roles: Collection[str], *, accepted: bool
) -> Iterator[Remark]:
    """All remarks. `accepted`: whether the lock in force holds the evidence of a passed acceptance."""
    yield from _named(contract, "page", contract.scope.named.pages, pages)
    yield from _named(contract, "role", contract.scope.named.roles, roles)
    yield from _phase(contract, accepted)
    yield from _envelope(contract)


def _named(contract: Contract, what: str, named: Collection[str] | None, there: Collection[str]) -> Iterator[Remark]:
    line = contract.scope.named.line
    for name in named or ():
        if name not in there:
            yield Remark("fail", line, f"scope.{what}s", f"{name!r}: no such {what}; {nearest(name, there)}")


def _phase(contract: Contract, accepted: bool) -> Iterator[Remark]:
    plan = contract.scope.phase("production")
    if plan is None or contract.phase != "production":
        return
    if not accepted:
        text = "production needs a passed acceptance; run headwater contract lock with its evidence, or stay in mvp"
        yield Remark("fail", plan.line, "phase", text)


def _envelope(contract: Contract) -> Iterator[Remark]:
    if contract.scope.prices is not None and contract.scope.envelope is None:
        text = "prices without an envelope promise any load; give the table [envelope]"
        yield Remark("warn", contract.scope.prices.line, "envelope", text)
