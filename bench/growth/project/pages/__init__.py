"""Pages of the project that grows."""
