"""SLA: what is promised, how it stands, and how fast its budgets go; part of every project that has a contract."""

from headwater import chart, page, row, table, tile
from services.feeds.contract import Budgets, Burns, Incidents, Objectives, Standing, Whole

SLA = page(
    "SLA", "/sla",
    row(
        tile(Standing.now, of=Whole, key="contract", title="State"),
        tile(Standing.phase, of=Whole, key="contract", title="Phase"),
        tile(Standing.period, of=Whole, key="contract"),
        tile(Standing.met, of=Whole, key="contract"),
        tile(Standing.open_incidents, of=Whole, key="contract", warn_above=0.5),
        tile(Standing.burn_1h, of=Whole, key="contract", title="Fastest burn, 1 h", warn_above=1, bad_above=14.4,
             missing="nothing is counted yet"),
    ),
    table(Objectives, columns=[
        Standing.title, Standing.verdict, Standing.now, Standing.target_percent, Standing.measured_percent,
        Standing.excluded_percent, Standing.budget_percent, Standing.burn_1h, Standing.burn_6h, Standing.burn_3d,
        Standing.minutes_down, Standing.window,
    ], rows=12),
    row(chart(Budgets.left, bounds=(-100, 100)), chart(Burns.rate, bounds=(0, 20))),
    table(Incidents, columns=[
        Standing.name, Standing.now, Standing.severity, Standing.title, Standing.began_at, Standing.ended_at,
        Standing.means,
    ], sort=Standing.began_at, descending=True, rows=5),
    about="What the contract promises, measured on the whole path. The client's page is /status.", order=80,
)
