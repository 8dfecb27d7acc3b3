"""A project that is not the demo: one feed, one page, short limits; journeys and chaos tests run on it."""

TOGETHER = "HEADWATER_TEST_TOGETHER"
"""Where set, a worker's stations share its process: another one would have to import everything first."""
