"""Pages of the bench project."""
