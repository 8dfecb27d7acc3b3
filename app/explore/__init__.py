"""Explore: a view of any channel or feed that needs no code: the question is the page's address."""
