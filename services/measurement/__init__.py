"""Measurement: what was seen of every objective, minute by minute, raw and adjusted."""
