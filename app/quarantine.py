"""Quarantine: who may look after it, for the operations page."""

from __future__ import annotations

from dataclasses import dataclass

from app.doors import Doors
from components.quarantine import Act
from services.broker import Quarantined
from services.declare import Declarations
from services.quarantine import NotInQuarantine, Quarantine

LOOKS_AFTER = "operations"
"""What one has to be `admin` of."""


@dataclass(frozen=True, slots=True)
class QuarantineKeeper:
    """The quarantine, for admins."""

    quarantine: Quarantine
    declarations: Declarations
    doors: Doors

    def entries(self) -> list[Quarantined] | None:
        return self.quarantine.entries() if self._may() else None

    def act(self, act: Act, lane: str, entry: str) -> str:
        """Do it in the name of who asks, which the audit log keeps."""
        principal = self.doors.principal()
        if principal is None or not self._may():
            return "Only an admin may look after the quarantine."
        found = next((one for one in self.declarations.lanes() if str(one) == lane), None)
        if found is None:
            return f"There is no lane {lane[:60]!r}."
        try:
            if act == "discard":
                self.quarantine.discard(found, entry, principal.name)
                return f"Discarded {lane}/{entry}."
            events = self.quarantine.replay(found, entry, principal.name)
        except NotInQuarantine as gone:
            return str(gone)
        return f"Replayed {events} event{'s' if events != 1 else ''} of {lane}/{entry}; what fails again comes back."

    def _may(self) -> bool:
        return self.doors.may()("admin", LOOKS_AFTER)
