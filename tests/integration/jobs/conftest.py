from databases import engine, postgres

__all__ = ["engine", "postgres"]
