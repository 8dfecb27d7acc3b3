"""The commands that forget a key and look after the quarantine, beside a worker that runs."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from app.cli import main
from app.loading import load_declarations
from services.broker import Broker
from services.embedded import EmbeddedBroker
from services.ingestion import Ingestion
from services.telemetry import Telemetry
from tests.app.running import running
from tests.archive.test_forgetting import around, broker_bytes
from tests.waiting import wait_until


def test_a_key_is_forgotten_by_command_while_the_worker_runs(own_broker: EmbeddedBroker, tmp_path: Path) -> None:
    data = tmp_path / "data"
    given = {"REDIS_URL": own_broker.url, "HEADWATER_DATA": str(data)}

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), env=given)

    declarations, broker = load_declarations(), Broker(own_broker.url)
    ingestion = Ingestion(broker, declarations, Telemetry("test", "web"))
    signals = declarations.feeds["signals"]
    with running("worker", tmp_path, **given) as worker:
        records = [{"name": name, "value": n} for n, name in enumerate(["canary", "other", "canary"])]
        assert ingestion.accept(signals, records).accepted == 3
        lane = signals.all_lanes()[0]
        wait_until(
            lambda: lane in (found := broker.lane_progress([lane])) and found[lane].unarchived == 0, what="the archive"
        )
        told = command("forget", "signals", "canary", "--by", "ada")
        assert told.exit_code == 0, told.output + worker.output
        assert "archive: 2 archive_events" in told.output
        assert "feed signals: the key is forgotten" in told.output
        assert "canary" not in told.output
        again = command("forget", "signals", "canary", "--by", "ada")
        assert again.exit_code == 0, again.output
        listed = command("audit", "--what", "forgotten").output
        assert listed.count("  forgotten  ada  signals scrypt:") == 2
        assert command("forget", "signal", "canary").exit_code == 2
        assert command("quarantine", "list").output == ""
        assert command("quarantine", "replay", "signals.0/1-0").exit_code == 1
        assert command("quarantine", "discard", "signals.0/1-0").exit_code == 1
        assert command("quarantine", "discard", "nonsense").exit_code == 2
    broker.close()
    assert around(broker_bytes(own_broker.url)) == []
    assert b"canary" not in b"".join(path.read_bytes() for path in data.glob("headwater.db*"))
