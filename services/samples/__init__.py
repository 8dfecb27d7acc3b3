"""Samples: what a client's data looks like, before a feed is declared for it."""
