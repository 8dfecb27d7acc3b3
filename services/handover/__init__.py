"""Handover: every deliverable of a contract in one dated folder, made from what is really declared and measured."""
