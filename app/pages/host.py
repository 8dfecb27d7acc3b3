"""Host: the machine that Headwater runs on, second by second."""

from headwater import chart, page, row, table, tile
from services.feeds.host import Cores, Disks, Host, Machine, Now, Processes

HOST = page(
    "Host", "/host",
    row(
        tile(Host.cpu_percent, of=Now, key="machine", trend=Machine.cpu_percent, warn_above=80, bad_above=95),
        tile(Host.memory_percent, of=Now, key="machine", trend=Machine.memory_percent, warn_above=80, bad_above=95),
        tile(Host.load_1m, of=Now, key="machine", trend=Machine.load_1m),
        tile(Host.received_kb_s, of=Now, key="machine", trend=Machine.received_kb_s),
        tile(Host.sent_kb_s, of=Now, key="machine", trend=Machine.sent_kb_s),
        tile(Host.written_kb_s, of=Now, key="machine", trend=Machine.written_kb_s),
    ),
    row(
        chart(Cores.percent, bounds=(0, 100)),
        chart(Machine.cpu_percent, Machine.memory_percent, title="CPU and memory", bounds=(0, 100)),
    ),
    row(
        chart(Machine.received_kb_s, Machine.sent_kb_s, title="Network"),
        chart(Machine.read_kb_s, Machine.written_kb_s, title="Disk"),
    ),
    row(
        table(Processes, columns=[Host.command, Host.pid, Host.cpu_percent, Host.memory_mb], sort=Host.cpu_percent,
              descending=True, rows=10),
        table(Disks, columns=[Host.mount, Host.disk_percent, Host.disk_used_gb, Host.disk_total_gb], rows=10),
    ),
    about="This machine, measured every second.",
)
