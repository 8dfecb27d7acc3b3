"""Acceptance: what a contract's criteria look at, over a deployment's public face alone."""
