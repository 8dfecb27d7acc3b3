"""The project that grows: one feed, a channel of each kind, one page."""
