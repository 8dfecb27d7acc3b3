"""Pages of the busy project: none."""
