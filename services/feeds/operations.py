"""Operations: how Headwater itself is doing, stage by stage, feed by feed, process by process."""

from headwater import Feed, Freshness, History, Integer, Latest, Log, Number, Series, Text, value
from services.sources.operations import OperationsSource


class Operations(
    Feed,
    name="operations",
    key="name",
    source=OperationsSource(every_s=1.0),
    freshness=Freshness(expected_every_s=1, late_after_s=4, stale_after_s=10),
    history=History(days=0),  # thirty a second of ourselves; two courses below are kept
):
    """One measurement of one thing: a stage, a feed, a process, who leads a lane, a rejected record."""

    name = Text(label="Name")
    kind = Text(about="stage, feed, source, process, consumer, slow viewer or rejection")
    count = Integer(label="Events", required=False, about="in the last minute")
    p50_ms = Number(unit="ms", decimals=1, label="Median", required=False, about="±1 %, last minute")
    p95_ms = Number(unit="ms", decimals=1, label="95 in 100 under", required=False, about="±1 %, last minute")
    p99_ms = Number(unit="ms", decimals=1, label="99 in 100 under", required=False, about="±1 %, last minute")
    source = Text(label="Source", required=False)
    rate = Number(unit="/s", decimals=1, label="Accepted", required=False)
    backlog = Integer(label="Backlog", required=False, about="events accepted and not yet processed")
    unarchived = Integer(label="To archive", required=False, about="events accepted and not yet in the archive")
    accepted = Integer(label="Accepted in all", required=False)
    duplicates = Integer(label="Duplicates", required=False)
    rejected = Integer(label="Rejected", required=False)
    quarantined = Integer(label="Quarantined", required=False, about="events that no channel could fold")
    too_late = Integer(label="Too late", required=False, about="for a window that was closed")
    filtered = Integer(label="Left out", required=False, about="by a step of the feed's enrichment")
    shed = Integer(label="Shed", required=False, about="processed, but dropped before another group had read them")
    skew_ms = Integer(
        unit="ms", label="Clock", required=False, about="the source's clock against ours, at best of the last minute"
    )
    role = Text(label="Role", required=False)
    viewers = Integer(label="Viewers", required=False)
    slow_viewers = Integer(label="Slow viewers", required=False)
    memory_mb = Number(unit="MB", decimals=0, label="Memory", required=False)
    feed = Text(label="Feed", required=False)
    reason = Text(label="Reason", required=False)
    detail = Text(label="Detail", required=False, max_length=400)
    interval_s = Number(unit="s", decimals=1, label="Interval", required=False, about="mean, last minute")
    lateness_p95_s = Number(
        unit="s", decimals=2, label="Lateness p95", required=False, about="creation to ingestion, ±1 %, last minute"
    )
    duplicates_percent = Number(unit="%", decimals=2, label="Duplicates", required=False, about="last minute")
    out_of_order_percent = Number(
        unit="%", decimals=2, label="Out of order", required=False, about="older than one before, last minute"
    )
    rejected_percent = Number(unit="%", decimals=2, label="Rejected", required=False, about="last minute")
    answered_s = Number(unit="s", decimals=1, label="Last answer", required=False, about="seconds since a sign of life")
    expected = Text(label="Agreed", required=False, max_length=300, about="what the contract expects upstream")
    verdict = Text(label="Verdict", required=False, max_length=200)
    worker = Text(label="Led by", required=False)
    lease_ms = Integer(unit="ms", label="Lease left", required=False, about="0: it ran out, and nobody else took it")
    taken = Integer(label="Times taken", required=False, about="how often somebody took the lead")
    behind = Integer(label="Behind", required=False, about="events that wait for this work")
    principal = Text(label="Account", required=False)
    channels = Integer(label="Channels", required=False)
    rate_hz = Number(unit="Hz", decimals=1, label="Rate", required=False, about="frames it really takes, each second")
    for_s = Number(unit="s", decimals=0, label="Slow since", required=False, about="since it last took all at once")


class Stages(
    Latest, feed=Operations, where=Operations.kind.equals("stage"), rows_max=100, evict_after_s=90, title="Stages"
):  # fmt: skip
    """Latency of each stage over the last minute, all processes and viewers together."""


class Feeds(
    Latest, feed=Operations, where=Operations.kind.equals("feed"), rows_max=500, evict_after_s=30, title="Feeds"
):  # fmt: skip
    """What each feed took in and what waits."""


class Sources(
    Latest, feed=Operations, where=Operations.kind.equals("source"), rows_max=500, evict_after_s=30, title="Sources"
):  # fmt: skip
    """What each source brings, against what the contract expects of it."""


class Processes(
    Latest, feed=Operations, where=Operations.kind.equals("process"), rows_max=500, evict_after_s=15, title="Processes"
):  # fmt: skip
    """Every running process; one that is gone leaves after fifteen seconds."""


class Consumers(
    Latest, feed=Operations, where=Operations.kind.equals("consumer"), evict_after_s=20, title="Consumers and leases"
):  # fmt: skip
    """Who does which work on which lane, and how far it is behind; looked at each five seconds."""


class SlowViewers(
    Latest, feed=Operations, where=Operations.kind.equals("slow viewer"), evict_after_s=5, title="Slow viewers"
):  # fmt: skip
    """Viewers that take less than they are given, twenty of each process."""


COURSE = History(days=2, hourly_days=365)


class Latency(
    Series,
    feed=Operations,
    by=Operations.name,
    where=Operations.kind.equals("stage"),
    span_s=600,
    history=COURSE,
    title="Latency by stage, 95 in 100 under",
):
    """Each stage's p95, every second, ten minutes."""

    p95_ms = value(Operations.p95_ms, label="95 in 100 under")


class Backlog(
    Series,
    feed=Operations,
    by=Operations.name,
    where=Operations.kind.equals("feed"),
    span_s=600,
    history=COURSE,
    title="Backlog by feed",
):
    """Events accepted and not yet processed, every second, ten minutes."""

    backlog = value(Operations.backlog, label="Backlog")


class Rejections(Log, feed=Operations, where=Operations.kind.equals("rejection"), entries_max=100):
    """Samples of refused records."""
