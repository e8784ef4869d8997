"""How US dollars are written for people."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

_SMALL = Context(prec=4, rounding=ROUND_HALF_EVEN)


def dollars(amount: Decimal) -> str:
    """Cents from one dollar up ("$1,204.50"); below, four significant digits ("$0.0042"). Only nothing is "$0"."""
    if amount == 0:
        return "$0"
    if amount >= 1:
        return f"${amount:,.2f}"
    whole, _, cents = format(_SMALL.plus(amount), "f").partition(".")
    return f"${whole}.{cents.rstrip('0').ljust(2, '0')}"


def at_least(amount: Decimal, unknown: int) -> str:
    """The amount, said to be a lower bound where `unknown` further calls have no known price."""
    if not unknown:
        return dollars(amount)
    return f"at least {dollars(amount)}" if amount else "unknown"


def of_picodollars(amount: int) -> Decimal:
    """US dollars of the whole millionths of a millionth in which the ledger keeps them; exact."""
    exact = Decimal(amount).scaleb(-12).normalize()
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact


def roughly(amount: Decimal) -> str:
    """For a mean or an estimate, of which more digits would say nothing: "$1,205", "$31.20", "$0.67", "$0.0042"."""
    if amount >= 100:
        return f"${amount:,.0f}"
    return dollars(amount if amount >= 1 else Context(prec=2, rounding=ROUND_HALF_EVEN).plus(amount))


def signed(amount: Decimal) -> str:
    """A change: "+$4.10", "−$1.90", "+$0.19"."""
    size = abs(amount)
    return f"{'−' if amount < 0 else '+'}{dollars(size if size >= 1 else Context(prec=2).plus(size))}"
