"""Feeds of the busy project."""
