"""A number and a log for every write, so that the indexes of several processes can follow it; leases."""

from __future__ import annotations

import uuid

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = ("leases", "follows", "changes", "standing")


def upgrade() -> None:
    """Adds the columns and tables; what is there has been written before the first number."""
    for name in ("born", "restricted"):
        op.add_column("knowledge_sources", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("knowledge_sources", sa.Column("restricted_to", sa.Text))
    numbers = ("number", "logged", "floor", "chunks", "checksum")
    standing = op.create_table(
        "knowledge_standing",
        sa.Column("one", sa.Integer, primary_key=True),
        sa.Column("house", sa.String(32), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in numbers),
    )
    op.create_table(
        "knowledge_changes",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("added", "removed", "moved")),
    )
    op.create_table(
        "knowledge_follows",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "knowledge_leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("turns", "finished")),
    )
    rows = op.get_bind().execute(sa.text("SELECT key FROM knowledge_chunks")).scalars()
    keys = np.fromiter(rows, np.int64)
    row = {"house": uuid.uuid4().hex, "number": 0, "logged": 0, "floor": 0}
    op.bulk_insert(standing, [row | {"chunks": len(keys), "checksum": _checksum(keys)}])


def downgrade() -> None:
    """Takes them away again; the indexes are rebuilt."""
    for name in _TABLES:
        op.drop_table(f"knowledge_{name}")
    for name in ("restricted_to", "restricted", "born"):
        op.drop_column("knowledge_sources", name)


def _checksum(keys: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    """As `knowledge.key_sum` was when this was written."""
    mixed = keys.astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return int((mixed ^ (mixed >> np.uint64(31))).sum(dtype=np.uint64).astype(np.int64))
