"""Drafts: files of a new project, written from answers and samples; a person changes them afterwards."""
