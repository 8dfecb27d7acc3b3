"""Operations: how Headwater itself is doing; the first page to open when something is slow."""

from headwater import chart, log, page, row, table
from services.feeds.operations import Backlog, Feeds, Latency, Operations, Processes, Rejections, Stages

OPERATIONS = page(
    "Operations", "/operations",
    row(
        chart(Latency.p95_ms, title="Latency by stage, 95 in 100 under"),
        chart(Backlog.backlog, title="Backlog by feed"),
    ),
    row(
        table(Stages, columns=[
            Operations.name, Operations.p50_ms, Operations.p95_ms, Operations.p99_ms, Operations.count]),
        table(Feeds, columns=[
            Operations.name, Operations.rate, Operations.backlog, Operations.accepted, Operations.rejected,
            Operations.duplicates, Operations.quarantined]),
    ),
    row(
        table(Processes, columns=[
            Operations.name, Operations.role, Operations.viewers, Operations.slow_viewers, Operations.memory_mb]),
        log(Rejections, columns=[Operations.feed, Operations.reason, Operations.detail]),
    ),
    about="Latency, backlog, rejections and viewers of this system.", order=90,
)
