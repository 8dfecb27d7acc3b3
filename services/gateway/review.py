"""Review: grants are asked again when they change, so that nobody keeps what was taken from him.

Costs one comparison at each fan-out while nothing changes.
"""

from __future__ import annotations

from services.accounts import Grants, can
from services.gateway.admission import Admission
from services.gateway.delivery import Delivery
from services.gateway.sockets import Sockets
from services.gateway.viewers import Viewer
from services.messages import Close


class Review:
    """Holds every viewer against the present grants; called in the loop's thread only."""

    def __init__(self, grants: Grants, admission: Admission, delivery: Delivery, sockets: Sockets) -> None:
        self._grants, self._admission, self._delivery, self._sockets = grants, admission, delivery, sockets
        self._seen = grants.generation

    def run(self) -> None:
        """Close the sockets of those who are signed out or lost all they watched; take single channels from others."""
        generation = self._grants.generation
        if generation == self._seen:
            return
        self._seen = generation
        for viewer in self._admission.viewers():
            if not viewer.link.closing:
                self._hold_against(viewer)

    def _hold_against(self, viewer: Viewer) -> None:
        principal = self._grants.renewed(viewer.principal)
        if principal is None:
            self._sockets.close(viewer.link, Close.SIGNED_OUT)
            return
        viewer.principal = principal
        watched = list(viewer.positions())
        lost = [publication for publication in watched if not can(principal, "view", publication.name)]
        if lost and len(lost) == len(watched):
            self._sockets.close(viewer.link, Close.FORBIDDEN)
            return
        for publication in lost:
            self._delivery.turn_away(viewer, publication)
