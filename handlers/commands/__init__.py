"""Slash commands: one a file."""
