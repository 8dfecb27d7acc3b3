"""Every component that is painted, and two of the project's own: one whose painter works, one whose painter fails."""

from headwater import bar, grid, heat_map, histogram, live_text, page, painted, status_list, tile
from tests.project.feeds.shop import ByShop, Everything, Minute, Orders, Prices, Total

GALLERY = page(
    "Gallery", "/gallery",
    live_text(
        "{orders} orders for {turnover}, {minute} of them in this minute.", title="In words",
        orders=Total.orders, turnover=tile(Total.turnover, decimals=2, warn_above=1_000_000), minute=Minute.orders,
    ),
    grid(
        """
        bars bars states
        lies lies tally
        """,
        bars=bar(ByShop.turnover, top=5, decimals=2),
        states=status_list(ByShop.orders, warn_above=50, bad_above=100, detail=[ByShop.turnover], title="Shops"),
        lies=histogram(Prices.price, bounds=(0, 200), bins=10),
        tally=painted("tally", Everything, fields=[Orders.order, Orders.shop], title="Tally", every_ms=0),
    ),
    heat_map(Prices.price, columns=12),
    heat_map(Orders.price, of=Everything, x=Orders.shop, y=Orders.order, title="By two fields"),
    painted("broken", Total, title="Broken"),
)
