"""What the user states that a model costs: rates, the days from which they hold, the currency that they are in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bot.config import ExchangeRate
from bot.domain import Rates
from bot.errors import ConfigError

DOLLARS = "USD"

Rate = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6)]
"""With six decimals for a million tokens, a single token is still a whole number of millionths of a millionth."""
_EXACT = Context(prec=40)


class CardRates(BaseModel):
    """For a million tokens of each kind, for a minute of speech, for an image.

    A kind of token that is not stated costs what the others of its direction do. A model that is sold by the minute or
    by the image alone has no rates for tokens. `from_`: the first day (UTC) on which they hold, None: always.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: date | None = Field(default=None, alias="from")
    currency: str = Field(default=DOLLARS, pattern="^[A-Z]{3}$")
    input: Rate = Decimal(0)
    output: Rate = Decimal(0)
    cached_input: Rate | None = None
    cache_written: Rate | None = None
    input_audio: Rate | None = None
    output_audio: Rate | None = None
    input_image: Rate | None = None
    output_image: Rate | None = None
    minute: Rate | None = None
    image: Rate | None = None

    @model_validator(mode="after")
    def _says_a_price(self) -> Self:
        stated = self.model_fields_set
        if not {"input", "output"} <= stated and not {"minute", "image"} & stated:
            raise ValueError("state `input` and `output`, or `minute`, or `image`")
        return self


class Tariff(BaseModel):
    """All the rates of a model, oldest first, in one currency. `exchange`: what they are turned into dollars with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dated: tuple[CardRates, ...] = Field(min_length=1)
    exchange: ExchangeRate | None = None

    @classmethod
    def read(cls, stated: object) -> object:
        """What a card states, one table or a list of them, as what makes a tariff."""
        if isinstance(stated, CardRates | Mapping):
            return {"dated": (stated,)}
        return {"dated": tuple(stated)} if isinstance(stated, list) else stated

    @field_validator("dated")
    @classmethod
    def _in_order(cls, dated: tuple[CardRates, ...]) -> tuple[CardRates, ...]:
        return tuple(sorted(dated, key=lambda rates: rates.from_ or date.min))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        days = [rates.from_ for rates in self.dated]
        twice = next((day for day in days if days.count(day) > 1), "")
        if twice is None:
            raise ValueError("of several rates, only the first may lack the day `from` which they hold")
        if twice:
            raise ValueError(f"two rates hold from {twice}")
        currencies = sorted({rates.currency for rates in self.dated})
        if len(currencies) > 1:
            raise ValueError(f"they are in {' and '.join(currencies)}; state all of one card in one currency")
        return self

    @property
    def currency(self) -> str:
        """The one that they are stated in."""
        return self.dated[0].currency

    def rates(self, at: datetime | None = None) -> Rates | None:
        """US dollars by the rates of a moment (None: now); None before the first of them."""
        day = (at or datetime.now(UTC)).astimezone(UTC).date()
        held = [rates for rates in self.dated if rates.from_ is None or rates.from_ <= day]
        return self._dollars(held[-1]) if held else None

    def exchanged(self, currencies: Mapping[str, ExchangeRate], name: str) -> Tariff:
        """With the rate of exchange for its currency. Raises ConfigError where none is configured; `name`: the card."""
        if self.currency == DOLLARS:
            return self
        if self.currency not in currencies:
            known = ", ".join([DOLLARS, *sorted(currencies)])
            raise ConfigError(
                f"The rates of “{name}” are in {self.currency}, and what that is worth is not known (known: {known}). "
                f"State it in the configuration: [costs.currencies.{self.currency}] with `dollars`, what one costs in "
                "US dollars, and `date`, when it did."
            )
        return self.model_copy(update={"exchange": currencies[self.currency]})

    def _dollars(self, stated: CardRates) -> Rates:
        own = {field.name: getattr(stated, field.name) for field in fields(Rates) if field.name != "version"}
        version = f"override from {stated.from_}" if stated.from_ else "override"
        rates = Rates(**own, version=version)
        if self.exchange is None:
            return rates
        worth = self.exchange.dollars
        turned: dict[str, Any] = {name: rate and _EXACT.multiply(rate, worth) for name, rate in own.items()}
        version += f"{',' if stated.from_ else ''} {self.currency} at {worth:f} of {self.exchange.date}"
        return replace(rates, **turned, version=version)
