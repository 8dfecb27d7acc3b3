"""Contract parts: what the contract station does, wired together; a new job is one line here."""

from __future__ import annotations

from dataclasses import dataclass

from app.loading import Project
from app.settings import Settings
from services.broker import Broker
from services.database import Database
from services.declare import Declarations
from services.parts import Part
from services.positions import Clock
from services.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a part may need; it takes what it needs from here and nothing from anywhere else."""

    settings: Settings
    project: Project
    declarations: Declarations
    broker: Broker
    database: Database
    telemetry: Telemetry
    clock: Clock
    worker: str


def contract_parts(given: Surroundings) -> list[Part]:
    """The jobs of the contract station; none where the project has no contract."""
    parts: list[Part] = []
    return parts if given.project.contract is not None else []
