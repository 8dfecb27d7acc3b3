"""Signals: whatever is posted by HTTP; the shortest way to see an event of one's own arrive."""

from headwater import chart, log, page, row, table, tile
from services.feeds.signals import Entries, LastMinute, Newest, Signals, Values

SIGNALS = page(
    "Signals", "/signals",
    row(tile(LastMinute.signals), tile(LastMinute.mean_value), tile(LastMinute.p95_value)),
    row(chart(Values.value), log(Entries, columns=[Signals.name, Signals.value, Signals.text])),
    table(Newest, columns=[Signals.name, Signals.value, Signals.text], sort=Signals.name),
    about="Values posted to this server by HTTP.",
)
