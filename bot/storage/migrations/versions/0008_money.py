"""The ledger in whole picodollars, with what else providers bill; budgets and what was spent of them."""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_CHUNK = 10_000
_NUMBERS = (
    "cache_written_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "input_image_tokens",
    "output_image_tokens",
    "audio_ms",
    "images",
)


_NEW: dict[str, Any] = {
    "reserved": sa.BigInteger,
    "first_cost": sa.BigInteger,
    "first_price_version": sa.String(120),
    "repriced_at": sa.DateTime(timezone=True),
    "workspace": sa.String(40),
    "served": sa.String(200),
    "request_id": sa.String(120),
    "note": sa.Text,
    **dict.fromkeys(_NUMBERS, sa.Integer),
}


def upgrade() -> None:
    for name, kind in {"picodollars": sa.BigInteger, **_NEW}.items():
        op.add_column("ledger", sa.Column(name, kind))
    _turn("cost", "picodollars", lambda text: int(Decimal(text).scaleb(12).to_integral_value(ROUND_HALF_EVEN)))
    with op.batch_alter_table("ledger") as ledger:
        ledger.drop_column("cost")
        ledger.alter_column("price_version", existing_type=sa.String(80), type_=sa.String(120))
    op.execute("ALTER TABLE ledger RENAME COLUMN picodollars TO cost")
    op.create_table(
        "budgets",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("scope", sa.String(12), nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("period", sa.String(8), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("hard", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("set_by", sa.String(40), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("scope", "key", "period", name="uq_budgets_scope_key_period"),
    )
    op.create_table(
        "budget_use",
        sa.Column("budget", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("since", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
        sa.Column("unknown", sa.Integer, nullable=False),
        sa.Column("told", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("budget_use")
    op.drop_table("budgets")
    op.add_column("ledger", sa.Column("dollars", sa.String(40)))
    _turn("cost", "dollars", lambda picodollars: format(Decimal(picodollars).scaleb(-12), "f"))
    with op.batch_alter_table("ledger") as ledger:
        for name in _NEW:
            ledger.drop_column(name)
        ledger.drop_column("cost")
        ledger.alter_column("price_version", existing_type=sa.String(120), type_=sa.String(80))
    op.execute("ALTER TABLE ledger RENAME COLUMN dollars TO cost")


def _turn(old: str, new: str, turned: Callable[[Any], Any]) -> None:
    """Fills a column from another one, here: the database would take decimals through floats."""
    connection = op.get_bind()
    ledger = sa.table("ledger", sa.column("id"), sa.column(old), sa.column(new))
    change = sa.update(ledger).where(ledger.c.id == sa.bindparam("row")).values({new: sa.bindparam("value")})
    last = 0
    while True:
        query = sa.select(ledger.c.id, ledger.c[old]).where(ledger.c.id > last, ledger.c[old].is_not(None))
        rows = connection.execute(query.order_by(ledger.c.id).limit(_CHUNK)).all()
        if not rows:
            return
        connection.execute(change, [{"row": row[0], "value": turned(row[1])} for row in rows])
        last = rows[-1][0]
