"""Brings what is known in line with the sources: a whole source, or one document of it."""
