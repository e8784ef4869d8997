"""The bot's own state in SQL: one engine, versioned tables."""
