"""A second page that shows less, to see that a subscription follows the page."""

from headwater import page, tile
from tests.project.feeds.shop import Total

QUIET = page("Total", "/total", tile(Total.turnover, decimals=2))
