"""A feed of recorded data, for the label that it demands."""

from __future__ import annotations

from headwater import Feed, Freshness, Latest, Source, Text, count


class Tape(Source):
    """Recorded, replayed."""

    title = "a tape of 1999"
    recorded = True


class Plays(Feed, name="plays", key="song", source=Tape(), freshness=Freshness(1, 5, 10)):
    """Songs as they were played."""

    song = Text()


class Played(Latest, feed=Plays, window_s=60):
    """Songs of the last minute."""

    songs = count()
