"""Pictures: the project takes those of its documents itself, from its own pages."""
