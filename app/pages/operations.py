"""Operations: how Headwater itself is doing; the first page to open when something is slow."""

from headwater import chart, log, page, pause_all_box, quarantine_box, row, table, trace_box
from services.feeds.contract import Incidents, Standing
from services.feeds.operations import (
    Backlog,
    Consumers,
    Feeds,
    Latency,
    Operations,
    Processes,
    Rejections,
    SlowViewers,
    Sources,
    Stages,
)

OPERATIONS = page(
    "Operations", "/operations",
    row(chart(Latency.p95_ms, logarithmic=True), chart(Backlog.backlog)),
    row(
        table(Stages, columns=[
            Operations.name, Operations.p50_ms, Operations.p95_ms, Operations.p99_ms, Operations.count], rows=8),
        table(Consumers, columns=[
            Operations.name, Operations.worker, Operations.behind, Operations.lease_ms, Operations.taken], rows=8),
    ),
    table(Feeds, columns=[
        Operations.name, Operations.rate, Operations.backlog, Operations.unarchived, Operations.accepted,
        Operations.rejected, Operations.duplicates, Operations.filtered, Operations.quarantined, Operations.shed,
        Operations.skew_ms], rows=6),
    table(Sources, columns=[
        Operations.name, Operations.verdict, Operations.interval_s, Operations.lateness_p95_s,
        Operations.duplicates_percent, Operations.out_of_order_percent, Operations.rejected_percent,
        Operations.skew_ms, Operations.answered_s, Operations.expected], rows=6),
    row(
        table(Processes, columns=[
            Operations.name, Operations.role, Operations.viewers, Operations.slow_viewers,
            Operations.memory_mb], rows=6),
        table(SlowViewers, columns=[
            Operations.name, Operations.principal, Operations.channels, Operations.rate_hz, Operations.for_s], rows=6),
    ),
    trace_box(),
    log(Rejections, columns=[Operations.feed, Operations.reason, Operations.detail]),
    quarantine_box(),
    pause_all_box(),
    table(Incidents, columns=[
        Standing.now, Standing.severity, Standing.title, Standing.began_at, Standing.ended_at],
        sort=Standing.began_at, descending=True, rows=5),
    about="Latency, backlog, who leads what, rejections and viewers of this system.", order=90,
)
