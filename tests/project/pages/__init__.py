"""Pages of the test project."""
