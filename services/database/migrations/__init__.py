"""Migrations: one chain of changes, from an empty database to the tables of this release."""
