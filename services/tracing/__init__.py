"""Tracing: what became of one event, from its creation to the screens that it was painted on."""
