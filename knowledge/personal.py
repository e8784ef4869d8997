"""What personal data looks like. Numbers count only where a checksum, or how they are written, makes it sure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

_B, _E = r"(?<![\w.+\-/=@])", r"(?![\w@]|[.\-/]\w)"


@dataclass(frozen=True, slots=True)
class Personal:
    """A kind of personal data; `is_one` says of what looks like one whether it is."""

    name: str
    pattern: re.Pattern[str]
    is_one: Callable[[str], bool]

    def masked(self, text: str) -> str:
        """The text without them."""
        mask = f"[{self.name}]"
        return self.pattern.sub(lambda match: mask if self.is_one(match[0]) else match[0], text)


def _digits(text: str) -> list[int]:
    return [int(one) for one in text if one.isdecimal()]


def is_mail(text: str) -> bool:
    """An address of mail, but not that of a git remote."""
    return not text.startswith("git@")


def is_card(text: str) -> bool:
    """Thirteen to nineteen digits with a true check digit (ISO/IEC 7812, Luhn), of a known network."""
    digits = _digits(text)
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 3 or digits[0] not in (2, 3, 4, 5, 6):
        return False
    doubled = [sum(divmod(2 * one, 10)) for one in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(text: str) -> bool:
    """A country, two check digits (ISO 13616, modulo 97) and the account."""
    plain = re.sub(r"[ \-]", "", text).upper()
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(one, 36)) for one in plain[4:] + plain[:4])) % 97 == 1


def is_address(text: str) -> bool:
    """An address of the internet that can be somebody's: none of a machine's own, and no version."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (found.is_loopback or found.is_unspecified or found.is_multicast)


def is_phone(text: str) -> bool:
    """A number in the international form (E.164: up to fifteen digits)."""
    return 8 <= len(_digits(text)) <= 15


def is_national(text: str) -> bool:
    """An id with a checksum of its own: Brazil, Finland, France, Italy, Poland, Spain, Sweden, Switzerland."""
    plain = re.sub(r"[ .]", "", text).upper()
    return any(check(plain) for check in (_cpf, _hetu, _nir, _codice, _pesel, _dni, _personnummer, _ahv))


def _cpf(text: str) -> bool:
    if not re.fullmatch(r"\d{9}-\d{2}", text) or len(set(text)) < 4:
        return False
    digits = _digits(text)
    for length in (9, 10):
        weighed = sum(one * (length + 1 - n) for n, one in enumerate(digits[:length]))
        if weighed * 10 % 11 % 10 != digits[length]:
            return False
    return True


def _hetu(text: str) -> bool:
    if not re.fullmatch(r"\d{6}[-+A]\d{3}[0-9A-Y]", text):
        return False
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(text[:6] + text[7:10]) % 31] == text[10]


def _nir(text: str) -> bool:
    if not re.fullmatch(r"[12]\d{4}(?:\d{2}|2[AB])\d{6}\d{2}", text):
        return False
    return 97 - int(text[:13].replace("2A", "19").replace("2B", "18")) % 97 == int(text[13:])


def _codice(text: str) -> bool:
    if not re.fullmatch(r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]", text):
        return False
    odd = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True))
    letters = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
    odd |= dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", letters, strict=True))
    total = sum(odd[one] for one in text[:15:2])
    total += sum(int(one) if one.isdigit() else ord(one) - 65 for one in text[1:15:2])
    return chr(65 + total % 26) == text[15]


def _pesel(text: str) -> bool:
    if not re.fullmatch(r"\d{11}", text):
        return False
    digits = _digits(text)
    weighed = sum(one * weight for one, weight in zip(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), strict=False))
    return (10 - weighed % 10) % 10 == digits[10] and _is_day(int(text[:2]), int(text[2:4]) % 20, int(text[4:6]))


def _dni(text: str) -> bool:
    if not re.fullmatch(r"[XYZ\d]\d{7}[A-Z]", text):
        return False
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(text[:8].translate(str.maketrans("XYZ", "012"))) % 23] == text[8]


def _personnummer(text: str) -> bool:
    if not re.fullmatch(r"(?:\d{2})?\d{6}[-+]\d{4}", text):
        return False
    digits = _digits(text)[-10:]
    total = sum(sum(divmod(one * (2 if n % 2 == 0 else 1), 10)) for n, one in enumerate(digits))
    return total % 10 == 0 and _is_day(
        10 * digits[0] + digits[1], 10 * digits[2] + digits[3], 10 * digits[4] + digits[5]
    )


def _ahv(text: str) -> bool:
    if not re.fullmatch(r"756\d{10}", text):
        return False
    digits = _digits(text)
    return sum(one * (3 if n % 2 else 1) for n, one in enumerate(digits)) % 10 == 0


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(2000 + year, month, day)
    except ValueError:
        return False
    return True


PERSONAL: tuple[Personal, ...] = (
    Personal(
        "mail address",
        re.compile(r"(?<![\w.+\-/:])[\w.+\-]{1,64}@(?:[A-Za-z0-9\-]{1,63}\.){1,6}[A-Za-z]{2,24}(?![\w\-])"),
        is_mail,
    ),
    Personal("IBAN", re.compile(rf"{_B}[A-Z]{{2}}\d{{2}}(?:[ \-]?[A-Z0-9]{{2,4}}){{3,8}}[A-Z0-9]?{_E}"), is_iban),
    Personal(
        "national id",
        re.compile(
            rf"{_B}(?:\d{{3}}\.?\d{{3}}\.?\d{{3}}-\d{{2}}|\d{{6}}[-+A]\d{{3}}[0-9A-Y]|\d{{6}}(?:\d{{2}})?[-+]\d{{4}}"
            rf"|[12] ?\d{{2}} ?\d{{2}} ?\d[\dAB] ?\d{{3}} ?\d{{3}} ?\d{{2}}"
            rf"|[A-Z]{{6}}\d{{2}}[A-Z]\d{{2}}[A-Z]\d{{3}}[A-Z]"
            rf"|\d{{11}}|[XYZ\d]\d{{7}}[A-Z]|756\.?\d{{4}}\.?\d{{4}}\.?\d{{2}}){_E}"
        ),
        is_national,
    ),
    Personal("card number", re.compile(rf"{_B}\d{{4}}(?:[ \-]?\d{{2,6}}){{2,4}}{_E}"), is_card),
    Personal(
        "phone number", re.compile(r"(?<![\w.+\-/=])(?<!\d )(?:\+|00)[1-9](?:[ .\-/()]{0,2}\d){7,14}(?!\w)"), is_phone
    ),
    Personal(
        "IP address",
        re.compile(
            r"(?<![\w.:\-/])(?:(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})(?![\w:]|\.\d)"
        ),
        is_address,
    ),
)
