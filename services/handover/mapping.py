"""Source mapping: where each field of each feed comes from, what it is, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterator

from services.contract.markdown import table, text
from services.contract.phrases import label_of, value_in_words
from services.contract.sentences import seconds
from services.contract.statement import JOINED, Properties, Statement, kind_of, name_of, parent_of, under


def source_mapping(name: str, statement: Statement) -> str:
    """The whole document."""
    return text(_mapping(name, statement))


def _mapping(name: str, statement: Statement) -> Iterator[str]:
    yield f"# {name}: source mapping"
    feeds = [key for key in statement if kind_of(key) == "feed" and JOINED not in key]
    for key in feeds:
        yield from ("", f"## {name_of(key)}", "", *_feed(key, statement[key]), "")
        yield from table(
            ("field", "from the source", "type", "required", "unit", "about a person", "what it is"),
            [
                *(_field(name_of(one), statement[one], _mapped(statement, key, name_of(one)))
                  for one in _of(statement, key, "field")),
                *_of_event(statement, key),
            ],
        )
        yield from ("", "What is made of it:", "")
        yield from table(("channel", "kind", "value", "made of"), _made(statement, key))


def _feed(key: str, feed: Properties) -> Iterator[str]:
    source, fresh = feed["source"], feed["freshness"]
    every = f", asked every {seconds(source['every_s'])}" if "every_s" in source else ""
    yield f"{feed.get('about') or name_of(key)}"
    yield ""
    yield f"- Source: {source['title'] or source['kind']}, {source['transport']}{every}."
    yield (
        f"- An event is about one `{feed['key']}`; its time is `created_at`, else that of its arrival; its `id` is "
        "recognised when it comes again."
    )
    yield (
        f"- Something new is expected every {seconds(fresh['expected_every_s'])}; late after "
        f"{seconds(fresh['late_after_s'])}, stale after {seconds(fresh['stale_after_s'])}."
    )
    if feed.get("strict"):
        yield "- A field that is not named here is a reason to refuse the record."


def _mapped(statement: Statement, feed: str, name: str) -> str:
    """What of a record the mapping takes for it, and does to it; its own name where nothing is said."""
    said = statement.get(under(feed, "mapping", name))
    if said is None:
        return f"`{name}`"
    more = [f"{label_of(what)} {value_in_words(what, value)}" for what, value in said.items() if what != "path"]
    return ", ".join([f"`{said.get('path', name)}`", *more])


def _of_event(statement: Statement, feed: str) -> Iterator[tuple[str, ...]]:
    """When an event happened and what names it, where the mapping says so."""
    for name, about in (("created_at", "when it happened"), ("id", "by which it is recognised when it comes again")):
        if under(feed, "mapping", name) in statement:
            yield f"`{name}`", _mapped(statement, feed, name), "", "yes", "", "no", about


def _field(name: str, field: Properties, taken: str) -> tuple[str, ...]:
    kind = field["type"] + (f", up to {field['max_length']} characters" if "max_length" in field else "")
    required = "yes" if field.get("required") else "no"
    personal = "yes" if field.get("personal") else "no"
    about = str(field.get("about") or field.get("label") or "")
    return f"`{name}`", taken, kind, required, str(field.get("unit") or ""), personal, about


def _made(statement: Statement, feed: str) -> Iterator[tuple[str, ...]]:
    for channel in _of(statement, feed, "channel"):
        said = statement[channel]
        of = f"`{name_of(feed)}.{name_of(channel)}`"
        window = f" over {seconds(said['window_s'])}" if "window_s" in said else ""
        where = f", where {said['where']}" if "where" in said else ""
        columns = list(_of(statement, channel, "column"))
        if not columns:
            yield of, str(said["kind"]), "every field", f"events as they are{where}"
        for column in columns:
            one = statement[column]
            field = f" of `{one['field']}`" if "field" in one else ""
            yield of, str(said["kind"]), f"`{name_of(column)}`", f"{one['function']}{field}{window}{where}"


def _of(statement: Statement, parent: str, kind: str) -> Iterator[str]:
    return (key for key in statement if parent_of(key) == parent and kind_of(key) == kind)
