"""Finished days of the ledger added up once, what was changed in them later, and the parts of reports that were
posted."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_EVENTS = {"INSERT": "NEW", "UPDATE": "OLD", "DELETE": "OLD"}


def upgrade() -> None:
    op.create_table(
        "ledger_days",
        sa.Column("since", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("until", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
    )
    op.create_table(
        "ledger_changes",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_ledger_changes_started_at", "ledger_changes", ["started_at"])
    op.create_table(
        "posted_reports",
        sa.Column("report", sa.String(40), primary_key=True),
        sa.Column("channel", sa.String(40), primary_key=True),
        sa.Column("part", sa.String(12), primary_key=True),
        sa.Column("claim", sa.String(32), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ts", sa.String(40)),
    )
    for statement in _triggers():
        op.execute(statement)


def downgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    for event in _EVENTS:
        op.execute(f"DROP TRIGGER ledger_{event.lower()}_late" + (" ON ledger" if postgres else ""))
    if postgres:
        op.execute("DROP FUNCTION ledger_changed_late()")
    for table in ("posted_reports", "ledger_changes", "ledger_days"):
        op.drop_table(table)


def _triggers() -> list[str]:
    """A change of a call that began an hour ago or earlier leaves its moment in ledger_changes."""
    if op.get_bind().dialect.name != "postgresql":
        return [
            f"CREATE TRIGGER ledger_{event.lower()}_late AFTER {event} ON ledger "  # noqa: S608
            f"WHEN {row}.started_at < strftime('%Y-%m-%d %H:%M:%S', 'now', '-1 hour') "
            f"BEGIN INSERT INTO ledger_changes (started_at) VALUES ({row}.started_at); END"
            for event, row in _EVENTS.items()
        ]
    function = (
        "CREATE FUNCTION ledger_changed_late() RETURNS trigger AS $$ BEGIN "
        "IF TG_OP = 'INSERT' THEN INSERT INTO ledger_changes (started_at) VALUES (NEW.started_at); "
        "ELSE INSERT INTO ledger_changes (started_at) VALUES (OLD.started_at); END IF; "
        "RETURN NULL; END $$ LANGUAGE plpgsql"
    )
    return [function] + [
        f"CREATE TRIGGER ledger_{event.lower()}_late AFTER {event} ON ledger FOR EACH ROW "
        f"WHEN ({row}.started_at < now() - interval '1 hour') EXECUTE FUNCTION ledger_changed_late()"
        for event, row in _EVENTS.items()
    ]
