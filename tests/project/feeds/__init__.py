"""Feeds of the test project."""
