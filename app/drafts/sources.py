"""Sources: how a drafted feed gets its records, by the kind that `headwater new feed --source` names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceDraft:
    """A source as a feed's file declares it. `text` is the expression; `names` what it imports from `headwater`.

    `variables` are to be set in the environment before it runs; `extra` is what is to be installed beside.
    """

    means: str
    text: str
    names: tuple[str, ...]
    variables: tuple[str, ...] = ()
    extra: str = ""
    needs_path: bool = False


def source_of(kind: str, name: str, every_s: float) -> SourceDraft:
    """The source of that kind for a feed of that name, asked every so many seconds where it is asked."""
    return KINDS[kind](name, every_s)


def _posted(name: str, _: float) -> SourceDraft:
    return SourceDraft(f"posted to /api/ingest/{name}", "Http()", ("Http",))


def _signed(signature: str, secret: str) -> Callable[[str, float], SourceDraft]:
    def draft(name: str, _: float) -> SourceDraft:
        variable = f"{name.upper()}_{secret}"
        text = f'Http("{signature}\'s webhook", signed={signature}Signature(["env:{variable}"]))'
        means = f"posted to /api/ingest/{name}, signed as {signature} does"
        return SourceDraft(means, text, (f"{signature}Signature", "Http"), (variable,))

    return draft


def _http(name: str, every_s: float) -> SourceDraft:
    variable = f"{name.upper()}_URL"
    text = f'HttpPoll("env:{variable}", every_s={every_s:g})'
    return SourceDraft(f"asked for every {every_s:g} s", text, ("HttpPoll",), (variable,))


def _websocket(name: str, _: float) -> SourceDraft:
    variable = f"{name.upper()}_URL"
    return SourceDraft("as a WebSocket sends them", f'WebSocketFeed("env:{variable}")', ("WebSocketFeed",), (variable,))


def _sql(name: str, every_s: float) -> SourceDraft:
    variable = f"{name.upper()}_DATABASE_URL"
    question = f"SELECT id, item, value, changed_at FROM {name}"  # noqa: S608 - a name that was checked, in a draft
    text = f"""SqlPoll(
        "env:{variable}", "{question}", every_s={every_s:g},
        mark="changed_at", tie="id",
    )"""
    return SourceDraft(f"rows of a database, asked for every {every_s:g} s", text, ("SqlPoll",), (variable,))


def _prometheus(name: str, every_s: float) -> SourceDraft:
    variable = f"{name.upper()}_PROMETHEUS_URL"
    text = f"""PrometheusQuery(
        "env:{variable}", "up", every_s={every_s:g}, mapping=SourceMapping({{"item": "instance"}}),
    )"""
    means = f"samples of Prometheus, asked for every {every_s:g} s"
    return SourceDraft(means, text, ("PrometheusQuery", "SourceMapping"), (variable,))


def _replay(name: str, _: float) -> SourceDraft:
    text = f'FileReplay(Path(__file__).parent / "{name}.csv", time=GivenTime("at", zone="UTC"), speed=60)'
    return SourceDraft("recorded, and played again", text, ("FileReplay", "GivenTime"), needs_path=True)


def _tail(name: str, _: float) -> SourceDraft:
    return SourceDraft("lines of a file, as they come", f'FileTail(Path("/var/log/{name}.jsonl"))', ("FileTail",),
                       needs_path=True)  # fmt: skip


def _redis(name: str, _: float) -> SourceDraft:
    variable = f"{name.upper()}_REDIS_URL"
    text = f'RedisStream("env:{variable}", "{name}", since="0", mapping=SourceMapping(parse=True))'
    return SourceDraft("entries of a Redis stream", text, ("RedisStream", "SourceMapping"), (variable,))


def _mqtt(name: str, _: float) -> SourceDraft:
    variable = f"{name.upper()}_MQTT_URL"
    text = f"""Mqtt(
        "env:{variable}", ["{name}/+"], client="headwater-{name}",
        mapping=SourceMapping({{"item": "mqtt.levels.1"}}),
    )"""
    return SourceDraft("messages of MQTT topics", text, ("Mqtt", "SourceMapping"), (variable,), extra="mqtt")


def _kafka(name: str, _: float) -> SourceDraft:
    variable = f"{name.upper()}_KAFKA"
    text = f'Kafka("env:{variable}", ["{name}"], group="headwater-{name}")'
    return SourceDraft("messages of Kafka topics", text, ("Kafka",), (variable,), extra="kafka")


KINDS: dict[str, Callable[[str, float], SourceDraft]] = {
    "posted": _posted, "github": _signed("GitHub", "SECRET"), "stripe": _signed("Stripe", "SECRET"), "http": _http,
    "websocket": _websocket, "sql": _sql, "prometheus": _prometheus, "replay": _replay, "tail": _tail,
    "redis": _redis, "mqtt": _mqtt, "kafka": _kafka,
}  # fmt: skip
