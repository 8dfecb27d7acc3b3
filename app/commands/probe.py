"""The command `headwater probe`: takes the whole path of a running system from anywhere, lane by lane."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import click

from app.commands import explained, fail
from app.settings import read_settings

if TYPE_CHECKING:
    from services.measurement.raw import ProbeSample


@click.command()
@click.argument("url")
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(1), help="How often to go the whole way.")
@click.option("--every", "every_s", default=10.0, show_default=True, help="Seconds between two rounds.")
@explained
def probe(url: str, rounds: int, every_s: float) -> None:
    """Send a probe through each lane of the system at URL, and say how long its answer took to a viewer.

    Needs HEADWATER_PROBE_KEY, or an ingest key that may post to the feed `probe`.
    """
    import requests

    from services.measurement.probing import Prober

    settings = read_settings()
    if not settings.probe_secret:
        fail("HEADWATER_PROBE_KEY: not set; give the secret of a key that may post to the feed probe", 2)
    prober, failed = Prober(url, settings.probe_secret, socket.gethostname()), 0
    try:
        lanes = prober.lanes()
        for number in range(rounds):
            began = time.monotonic()
            failed += sum(_told(sample) for sample in prober.round(lanes))
            if number + 1 < rounds:
                time.sleep(max(0.0, every_s - (time.monotonic() - began)))
    except requests.RequestException as error:
        fail(f"{url}: {error}; check the address", 1)
    finally:
        prober.close()
    if failed:
        fail(f"{failed} probe{'s' if failed > 1 else ''} did not arrive", 1)


def _told(sample: ProbeSample) -> bool:
    """Print it; whether it did not arrive."""
    took = "lost" if sample.took_s is None else f"{1000 * sample.took_s:8.1f} ms"
    click.echo(f"{sample.lane:24} {took}  {sample.worker or ''}{sample.fault}")
    return sample.took_s is None
