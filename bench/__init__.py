"""Benchmarks: measured, never asserted; see README.md."""
