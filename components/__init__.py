"""Components: the look. Pure factories of what a page shows; the path's data never passes through here."""
