"""Texts to vectors: one small port and its implementations."""
