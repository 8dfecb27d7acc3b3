"""Alerts: what must be known at once, told to those who can act, and kept as incidents."""
