"""Pages: one file for each; a page module assigns `page(...)` to a name."""
