"""The audit log, which is only ever added to."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_DROPPED = "SELECT COALESCE(MAX(CAST(after AS INTEGER)), 0) FROM audit_log WHERE action = 'audit log dropped'"
_CHANGE = "The audit log is only added to: no row of it can be changed."
_DELETE = "The audit log is only added to: switchboard audit drop takes out what is old."


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("reference", sa.String(40), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"])
    for statement in _postgres() if op.get_bind().dialect.name == "postgresql" else _sqlite():
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("audit_log")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_log_is_added_to()")


def _sqlite() -> list[str]:
    # The second one: INSERT OR REPLACE would put another row in the place of one without deleting it by a statement.
    return [
        f"CREATE TRIGGER audit_log_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, '{_CHANGE}'); END",
        "CREATE TRIGGER audit_log_replace BEFORE INSERT ON audit_log "  # noqa: S608
        "WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id) "
        f"BEGIN SELECT RAISE(ABORT, '{_CHANGE}'); END",
        f"CREATE TRIGGER audit_log_delete BEFORE DELETE ON audit_log WHEN OLD.id > ({_DROPPED}) "
        f"BEGIN SELECT RAISE(ABORT, '{_DELETE}'); END",
    ]


def _postgres() -> list[str]:
    return [
        "CREATE FUNCTION audit_log_is_added_to() RETURNS trigger AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' THEN IF OLD.id <= ({_DROPPED}) THEN RETURN OLD; END IF; "
        f"RAISE EXCEPTION '{_DELETE}'; END IF; "
        f"RAISE EXCEPTION '{_CHANGE}'; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER audit_log_rows BEFORE UPDATE OR DELETE ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION audit_log_is_added_to()",
        "CREATE TRIGGER audit_log_whole BEFORE TRUNCATE ON audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_added_to()",
    ]
