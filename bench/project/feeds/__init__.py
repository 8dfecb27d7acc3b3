"""Feeds of the bench project."""
