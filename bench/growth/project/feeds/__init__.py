"""Feeds of the project that grows."""
