"""Report: what was promised and what was measured, for both parties to read: HTML and PDF from the same figures."""
