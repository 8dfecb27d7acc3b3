"""Host: this machine, read by psutil once a second."""

from __future__ import annotations

import time
from typing import Any

import psutil

from services.sources.source import Intake, Source

_MEGABYTE = 1_000_000
_PROCESSES_SHOWN = 15
_NETWORK_IGNORED = ("lo",)


class HostSource(Source):
    """One record for each core, the whole machine, each file system and the busiest processes."""

    def __init__(self, every_s: float = 1.0) -> None:
        self.title = f"this machine, read by psutil every {every_s:g} s"
        self.every_s = every_s

    def run(self, intake: Intake) -> None:
        reader = _Reader()
        due = time.monotonic()
        while True:
            due += self.every_s
            if intake.wait(max(0.0, due - time.monotonic())):
                return
            intake.accept(reader.records(intake.now_ms()))


class _Reader:
    """Reads the machine; rates are differences to the reading before."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._network, self._disk = _network_bytes(), _disk_bytes()
        psutil.cpu_percent(percpu=True)
        self._busiest()

    def records(self, now_ms: int) -> list[dict[str, Any]]:
        """All records of this second; their ids derive from the time and the thing, so a resend is known."""
        now = time.monotonic()
        elapsed_s, self._at = max(0.001, now - self._at), now
        things = [*self._cores(), self._machine(elapsed_s), *_file_systems(), *self._busiest()]
        return [{"id": f"{now_ms}-{thing['name']}", "created_at": now_ms, **thing} for thing in things]

    def _cores(self) -> list[dict[str, Any]]:
        self._percents = psutil.cpu_percent(percpu=True)
        return [
            {"name": f"cpu{number}", "kind": "core", "cpu_percent": percent}
            for number, percent in enumerate(self._percents)
        ]

    def _machine(self, elapsed_s: float) -> dict[str, Any]:
        memory, load = psutil.virtual_memory(), psutil.getloadavg()
        network, disk = _network_bytes(), _disk_bytes()
        received, sent = (new - old for new, old in zip(network, self._network, strict=True))
        read, written = (new - old for new, old in zip(disk, self._disk, strict=True))
        self._network, self._disk = network, disk
        return {
            "name": "machine",
            "kind": "machine",
            "cpu_percent": round(sum(self._percents) / len(self._percents), 1),
            "memory_percent": memory.percent,
            "memory_mb": round((memory.total - memory.available) / _MEGABYTE, 1),
            "load_1m": load[0],
            "received_kb_s": _rate(received, elapsed_s),
            "sent_kb_s": _rate(sent, elapsed_s),
            "read_kb_s": _rate(read, elapsed_s),
            "written_kb_s": _rate(written, elapsed_s),
        }

    def _busiest(self) -> list[dict[str, Any]]:
        found = []
        for process in psutil.process_iter(["name", "cpu_percent", "memory_info"]):
            info = process.info
            if info["memory_info"] is not None:
                found.append((info["cpu_percent"] or 0.0, info["memory_info"].rss, process.pid, info["name"] or "?"))
        found.sort(reverse=True)
        return [
            {
                "name": f"pid {pid}",
                "kind": "process",
                "pid": str(pid),
                "command": command[:60],
                "cpu_percent": percent,
                "memory_mb": round(rss / _MEGABYTE, 1),
            }
            for percent, rss, pid, command in found[:_PROCESSES_SHOWN]
        ]


def _rate(difference: int, elapsed_s: float) -> float:
    return round(max(0, difference) / 1000 / elapsed_s, 1)


def _network_bytes() -> tuple[int, int]:
    counters = psutil.net_io_counters(pernic=True, nowrap=True)
    used = [c for name, c in counters.items() if name not in _NETWORK_IGNORED]
    return sum(c.bytes_recv for c in used), sum(c.bytes_sent for c in used)


def _disk_bytes() -> tuple[int, int]:
    counters = psutil.disk_io_counters()
    return (counters.read_bytes, counters.write_bytes) if counters else (0, 0)


def _file_systems() -> list[dict[str, Any]]:
    found = []
    for partition in psutil.disk_partitions():
        try:
            usage = psutil.disk_usage(partition.mountpoint)
        except OSError:
            continue
        mount = partition.mountpoint[:100]
        found.append(
            {
                "name": f"disk {mount}",
                "kind": "disk",
                "mount": mount,
                "disk_percent": usage.percent,
                "disk_used_gb": round(usage.used / 1e9, 1),
                "disk_total_gb": round(usage.total / 1e9, 1),
            }
        )
    return found
