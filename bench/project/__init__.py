"""A project of the benches: feeds that a bench posts to, and the page on which the issue's figures are taken."""
