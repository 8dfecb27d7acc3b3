"""Tests of the contract: reading, exclusions, support calendar, notices, export."""
