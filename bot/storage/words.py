"""A column of what people, documents or models say: secrets are masked before the database sees them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from knowledge.secrets import masking


class Words(sa.TypeDecorator[str]):
    """Text without secrets, and without personal data where that is set. What is compared with it is masked too."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """As it is written."""
        return None if value is None else masking().text(value)
