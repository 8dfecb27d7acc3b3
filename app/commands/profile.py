"""Command of samples: `headwater profile` says what a source is like, and drafts a feed for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands import explained, fail
from app.commands.spans import span

if TYPE_CHECKING:
    from services.samples.draft import FeedDraft
    from services.samples.profiling import Profile


@click.command()
@click.argument("source")
@click.option("--for", "for_s", default="10m", show_default=True, callback=span, help="How long to listen.")
@click.option("--every", "every_s", default="5s", show_default=True, callback=span, help="How often to ask.")
@click.option("--name", default="", help="What the feed is called; left out, as the file is.")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False, exists=True),
              help="A project: its feed and page of that name are written, its envelope filled.")
@click.option("--replace", is_flag=True, help="Write over a feed and a page that are there.")
@explained
def profile(source: str, for_s: float, every_s: float, name: str, into: Path | None, replace: bool) -> None:
    """Say what a sample or live source is like, and draft a feed for it.

    SOURCE is a file (JSON, NDJSON, CSV, Parquet), an address that is asked (http) or listened to (ws), or the name of a
    declared feed whose source a worker runs; nothing of it is kept.
    """
    from services.samples.profiling import Sample, drafted
    from services.samples.reading import SampleUnreadable
    from services.samples.telling import told

    sample = Sample()
    try:
        for records, at_ms in _records(source, for_s, every_s):
            sample.take(records, at_ms)
    except SampleUnreadable as error:
        fail(f"profile: {error}", 1)
    found = sample.profile()
    if not found.records:
        fail(f"profile: {source}: no record came; listen longer with --for, or give another source", 1)
    for line in told(found):
        click.echo(line)
    polled = source.startswith(("http:", "https:"))
    draft = drafted(found, name or _named(source), polled=polled, every_s=every_s if polled else None)
    if into is None:
        from app.drafts.feed import feed_text

        click.echo(f"\n{feed_text(draft)}", nl=False)
        return
    _write(into, draft, found, replace=replace)


def _records(source: str, for_s: float, every_s: float) -> Iterator[tuple[Sequence[Any], int | None]]:
    from services.positions import wall_clock
    from services.samples import live
    from services.samples.reading import read_file

    if source.startswith(("http:", "https:")):
        yield from live.asked(source, every_s, for_s, wall_clock)
    elif source.startswith(("ws:", "wss:")):
        yield from live.listened(source, for_s, wall_clock)
    elif Path(source).is_file():
        yield from ((batch, None) for batch in read_file(Path(source)))
    else:
        from app.loading import load_declarations, project_of
        from app.settings import read_settings
        from services.declare import is_of_clients

        declared = load_declarations(project_of(read_settings())).feeds.values()
        feeds = {feed.name: feed for feed in declared if feed.source.pulled and is_of_clients(feed.name)}
        if source in feeds and feeds[source].source.consumes:
            fail(f"profile: {source}: to read it would take its records away from the feed; give a file of some", 2)
        if source not in feeds:
            fail(f"profile: {source!r}: no file, address or feed that is pulled; give one, or one of "
                 f"{', '.join(feeds)}", 2)
        yield from live.run(feeds[source].source, for_s, wall_clock, lambda text: click.echo(text, err=True))


def _named(source: str) -> str:
    """A feed's name from that of the file or the last part of the address."""
    from services.samples.shape import field_name

    return field_name(Path(source.rstrip("/").partition("?")[0]).stem)[:40]


def _write(folder: Path, draft: FeedDraft, found: Profile, *, replace: bool) -> None:
    from app.drafts.envelope import filled
    from app.drafts.feed import feed_text
    from app.drafts.page import of_draft, page_text, path_of

    feed, page = (folder / part / f"{draft.name}.py" for part in ("feeds", "pages"))
    contract = folder / "contract.toml"
    if feed.exists() and not replace:
        fail(f"profile: {feed}: there already; --replace writes over it and its page", 1)
    path, about = path_of(page), f"What comes from {draft.name.replace('_', ' ')}."
    for file, text in ((feed, feed_text(draft)), (page, page_text(of_draft(draft, path or f"/{draft.name}", about)))):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        click.echo(f"written: {file}")
    if contract.exists():
        text, said = filled(contract.read_text(encoding="utf-8"), found.peak_per_s, found.keys)
        contract.write_text(text, encoding="utf-8")
        click.echo(f"envelope: {', '.join(said) or 'holds what was seen'}")
