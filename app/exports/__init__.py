"""Exports: what a viewer takes away: files of what is shown, or of an interval, each saying what it is and of when."""
