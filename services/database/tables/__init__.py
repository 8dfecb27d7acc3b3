"""Tables: a file for each room that keeps something, all on one MetaData.

A change of a table comes with a migration; a test compares what the migrations make with what stands here.
Times are milliseconds since the Unix epoch, as everywhere.
"""

from services.database.tables.accounts import accounts, audit
from services.database.tables.alerts import (
    alerts,
    deliveries,
    incident_entries,
    incidents,
    message_files,
    messages,
    silences,
)
from services.database.tables.archive import (
    archive_channels,
    archive_deltas,
    archive_events,
    archive_gaps,
    archive_hours,
    archive_keyframes,
    archive_lanes,
)
from services.database.tables.contract import notices, weekly_windows
from services.database.tables.keys import ingest_key_uses, ingest_keys
from services.database.tables.measurement import measured_sheets, objective_hours, probe_samples
from services.database.tables.metadata import METADATA
from services.database.tables.notes import notes
from services.database.tables.report import reports, standings
from services.database.tables.revisions import revisions

__all__ = [
    "METADATA",
    "accounts",
    "alerts",
    "archive_channels",
    "archive_deltas",
    "archive_events",
    "archive_gaps",
    "archive_hours",
    "archive_keyframes",
    "archive_lanes",
    "audit",
    "deliveries",
    "incident_entries",
    "incidents",
    "ingest_key_uses",
    "ingest_keys",
    "measured_sheets",
    "message_files",
    "messages",
    "notes",
    "notices",
    "objective_hours",
    "probe_samples",
    "reports",
    "revisions",
    "silences",
    "standings",
    "weekly_windows",
]
