"""Sources: how a drafted feed gets its records, by the kind that `headwater new feed --source` names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from services.samples.draft import FeedDraft

_LINE_MAX = 120
_INDENT = "    source="


@dataclass(frozen=True, slots=True)
class SourceDraft:
    """A source as a feed's file declares it: `call` with `arguments`; `names` is what it imports from `headwater`.

    `variables` are to be set in the environment before it runs; `extra` is what is to be installed beside.
    """

    means: str
    call: str
    arguments: tuple[str, ...] = ()
    more_names: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    extra: str = ""
    needs_path: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return (self.call, *self.more_names)

    def text(self) -> str:
        """The expression, on one line where it fits."""
        line = f"{self.call}({', '.join(self.arguments)})"
        if len(_INDENT) + len(line) < _LINE_MAX and "\n" not in line:
            return line
        return "\n".join([f"{self.call}(", *(f"        {one}," for one in self.arguments), "    )"])


def source_of(kind: str, name: str, every_s: float) -> SourceDraft:
    """The source of that kind for a feed of that name, asked every so many seconds where it is asked."""
    return KINDS[kind](name, every_s)


def mapped(source: SourceDraft, draft: FeedDraft) -> SourceDraft:
    """The source with the mapping of a sample whose records do not have the feed's own shape."""
    paths = {one.name: one.path for one in draft.fields if one.path}
    fields = [f'"{name}": "{path}"' for name, path in paths.items()]
    inline = f"{{{', '.join(fields)}}}"
    lines = [inline] if len(inline) < _LINE_MAX - 20 else ["{", *(f"    {one}," for one in fields), "}"]
    parts = [*([] if not fields else ["\n            ".join(lines)]),
             *([f"created_at={draft.time}"] if draft.time else []),
             *([f'id="{draft.id_path}"'] if draft.id_path else [])]  # fmt: skip
    if not parts:
        return source
    text = f"mapping=SourceMapping({', '.join(parts)})"
    if len(text) > _LINE_MAX - 12 or "\n" in text:
        text = "\n            ".join(["mapping=SourceMapping(", *(f"{one}," for one in parts)]) + "\n        )"
    more = (*source.more_names, "SourceMapping", *(["GivenTime"] if draft.time else []))
    return replace(source, arguments=(*source.arguments, text), more_names=more)


def _posted(name: str, _: float) -> SourceDraft:
    return SourceDraft(f"posted to /api/ingest/{name}", "Http")


def _signed(service: str) -> Callable[[str, float], SourceDraft]:
    def draft(name: str, _: float) -> SourceDraft:
        variable = f"{name.upper()}_SECRET"
        arguments = (f'"{service}\'s webhook"', f'signed={service}Signature(["env:{variable}"])')
        means = f"posted to /api/ingest/{name}, signed as {service} does"
        return SourceDraft(means, "Http", arguments, (f"{service}Signature",), (variable,))

    return draft


def _http(name: str, every_s: float) -> SourceDraft:
    variable = f"{name.upper()}_URL"
    arguments = (f'"env:{variable}"', f"every_s={every_s:g}")
    return SourceDraft(f"asked for every {every_s:g} s", "HttpPoll", arguments, variables=(variable,))


def _websocket(name: str, _: float) -> SourceDraft:
    variable = f"{name.upper()}_URL"
    return SourceDraft("as a WebSocket sends them", "WebSocketFeed", (f'"env:{variable}"',), variables=(variable,))


def _sql(name: str, every_s: float) -> SourceDraft:
    variable = f"{name.upper()}_DATABASE_URL"
    question = f"SELECT id, item, value, changed_at FROM {name}"  # noqa: S608 - a name that was checked, in a draft
    arguments = (f'"env:{variable}"', f'"{question}"', f"every_s={every_s:g}", 'mark="changed_at"', 'tie="id"')
    means = f"rows of a database, asked for every {every_s:g} s"
    return SourceDraft(means, "SqlPoll", arguments, variables=(variable,))


def _prometheus(name: str, every_s: float) -> SourceDraft:
    variable = f"{name.upper()}_PROMETHEUS_URL"
    arguments = (f'"env:{variable}"', '"up"', f"every_s={every_s:g}", 'mapping=SourceMapping({"item": "instance"})')
    means = f"samples of Prometheus, asked for every {every_s:g} s"
    return SourceDraft(means, "PrometheusQuery", arguments, ("SourceMapping",), (variable,))


def _replay(name: str, _: float) -> SourceDraft:
    arguments = (f'Path(__file__).parent / "{name}.csv"', 'time=GivenTime("at", zone="UTC")', "speed=60")
    return SourceDraft("recorded, and played again", "FileReplay", arguments, ("GivenTime",), needs_path=True)


def _tail(name: str, _: float) -> SourceDraft:
    arguments = (f'Path("/var/log/{name}.jsonl")',)
    return SourceDraft("lines of a file, as they come", "FileTail", arguments, needs_path=True)


def _redis(name: str, _: float) -> SourceDraft:
    variable = f"{name.upper()}_REDIS_URL"
    arguments = (f'"env:{variable}"', f'"{name}"', 'since="0"', "mapping=SourceMapping(parse=True)")
    return SourceDraft("entries of a Redis stream", "RedisStream", arguments, ("SourceMapping",), (variable,))


def _mqtt(name: str, _: float) -> SourceDraft:
    variable = f"{name.upper()}_MQTT_URL"
    mapping = 'mapping=SourceMapping({"item": "mqtt.levels.1"})'
    arguments = (f'"env:{variable}"', f'["{name}/+"]', f'client="headwater-{name}"', mapping)
    return SourceDraft("messages of MQTT topics", "Mqtt", arguments, ("SourceMapping",), (variable,), extra="mqtt")


def _kafka(name: str, _: float) -> SourceDraft:
    variable = f"{name.upper()}_KAFKA"
    arguments = (f'"env:{variable}"', f'["{name}"]', f'group="headwater-{name}"')
    return SourceDraft("messages of Kafka topics", "Kafka", arguments, variables=(variable,), extra="kafka")


KINDS: dict[str, Callable[[str, float], SourceDraft]] = {
    "posted": _posted, "github": _signed("GitHub"), "stripe": _signed("Stripe"), "http": _http,
    "websocket": _websocket, "sql": _sql, "prometheus": _prometheus, "replay": _replay, "tail": _tail,
    "redis": _redis, "mqtt": _mqtt, "kafka": _kafka,
}  # fmt: skip
