"""Alembic scripts for the tables of knowledge; they run on a connection that the caller gives."""
