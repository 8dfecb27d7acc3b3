"""Gathering: what report and standing need beside the minutes, read from where it is kept."""

from __future__ import annotations

from services.alerts.register import Register
from services.contract.calendar import support_seconds
from services.contract.document import Contract
from services.contract.faults import ContractError
from services.contract.intervals import reasons
from services.contract.locks import in_force, read_locks
from services.contract.moments import local_day
from services.contract.register import NoticeRegister
from services.contract.sentences import sentence
from services.report.report import Facts, Window


class Gathering:
    """The facts of one contract. Everything may raise DatabaseDown."""

    def __init__(self, contract: Contract, register: Register, notices: NoticeRegister) -> None:
        self._contract, self._register, self._notices = contract, register, notices

    def facts(self, since: int, until: int) -> Facts:
        """All that touches the time from `since` to `until`."""
        contract = self._contract
        return Facts(
            contract=contract,
            sentences={one.name: f"{sentence(one)}." for one in contract.objectives},
            reasons=reasons(contract),
            incidents=tuple(self._register.incidents(since, until)),
            windows=tuple(
                Window(one.since, one.until, one.name, one.about, one.standing, one.counts)
                for one in self._notices.declared(since, until)
            ),
            support_s=lambda begin, end: support_seconds(contract.support, begin, end),
            version=_version(contract, until),
        )


def _version(contract: Contract, until: int) -> str:
    """The version that was in force on the last day, in words; empty where none was signed by then."""
    try:
        lock = in_force(read_locks(contract.path), local_day(contract.zone, until - 1))
    except ContractError as error:
        return f"version unknown: {error.faults[0].name} {error.faults[0].value}"
    return "" if lock is None else f"contract version {lock.version}, locked on {lock.locked_on}"
