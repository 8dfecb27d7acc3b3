"""Host: the machine that Headwater runs on."""

from headwater import Feed, Freshness, History, Latest, Number, Series, Text, value
from services.sources.host import HostSource


class Host(
    Feed,
    name="host",
    key="name",
    source=HostSource(every_s=1.0),
    freshness=Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10),
    history=History(days=2, hourly_days=365),
):
    """One reading of one thing: a core, the whole machine, a file system, a process."""

    name = Text(label="Name")
    kind = Text(about="core, machine, disk or process")
    cpu_percent = Number(unit="%", decimals=1, label="CPU", required=False)
    memory_percent = Number(unit="%", decimals=1, label="Memory", required=False)
    memory_mb = Number(unit="MB", decimals=0, label="Memory", required=False)
    load_1m = Number(decimals=2, label="Load", about="runnable processes, mean of a minute", required=False)
    received_kb_s = Number(unit="kB/s", decimals=1, label="Received", required=False)
    sent_kb_s = Number(unit="kB/s", decimals=1, label="Sent", required=False)
    read_kb_s = Number(unit="kB/s", decimals=1, label="Read", required=False)
    written_kb_s = Number(unit="kB/s", decimals=1, label="Written", required=False)
    mount = Text(label="Mount", required=False)
    disk_percent = Number(unit="%", decimals=1, label="Used", required=False)
    disk_used_gb = Number(unit="GB", decimals=1, label="Used", required=False)
    disk_total_gb = Number(unit="GB", decimals=1, label="Size", required=False)
    pid = Text(label="Process id", required=False)
    command = Text(label="Process", required=False)


MACHINE = Host.kind.equals("machine")


class Now(Latest, feed=Host, where=MACHINE, rows_max=1, title="Machine"):
    """The newest reading of the whole machine; its key is "machine"."""


class Cores(Series, feed=Host, by=Host.name, where=Host.kind.equals("core"), span_s=300, title="CPU by core"):
    """Each core's use, one point a second, five minutes."""

    percent = value(Host.cpu_percent, label="CPU")


class Machine(Series, feed=Host, where=MACHINE, span_s=300, title="Machine over time"):
    """The machine's readings, one point a second, five minutes."""

    cpu_percent = value(Host.cpu_percent, label="CPU")
    memory_percent = value(Host.memory_percent, label="Memory")
    load_1m = value(Host.load_1m, label="Load")
    received_kb_s = value(Host.received_kb_s, label="Received")
    sent_kb_s = value(Host.sent_kb_s, label="Sent")
    read_kb_s = value(Host.read_kb_s, label="Read")
    written_kb_s = value(Host.written_kb_s, label="Written")


class Disks(Latest, feed=Host, where=Host.kind.equals("disk"), rows_max=100, title="File systems"):
    """Each file system's use."""


class Processes(
    Latest,
    feed=Host,
    where=Host.kind.equals("process"),
    rows_max=100,
    evict_after_s=2,
    history=History(days=0),
    title="Busiest processes",
):
    """The processes that use most CPU; one that is no longer among them leaves after two seconds."""
