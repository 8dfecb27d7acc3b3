"""A project that is not the demo: one feed, one page, short limits; journeys and chaos tests run on it."""
