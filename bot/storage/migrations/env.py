"""Runs the bot's migrations on the connection that `bot.storage.engine.upgrade` hands over."""

from alembic import context

config = context.config
context.configure(
    connection=config.attributes["connection"],
    version_table=config.attributes["version_table"],
    render_as_batch=True,
    transactional_ddl=True,  # SQLite too takes back what failed half-way
)
with context.begin_transaction():
    context.run_migrations()
