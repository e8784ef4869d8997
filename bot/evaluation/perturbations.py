"""The same question asked otherwise: greeted, shouted, mistyped. Whoever reads it still knows what is meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

SHARE = 0.1
"""Share of words that get a typing error, one at least."""
_LEAST_LETTERS = 4
_OPENINGS = (
    "Hi team,",
    "Hey all,",
    "Hello everyone,",
    "Good morning!",
    "Hi there,",
    "@Switchboard hey,",
    "Quick question:",
)
_CLOSINGS = ("Thanks!", "Thanks a lot!", "Thank you in advance.", "thx", "Cheers", "many thanks :)", "Thanks team!")
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def politely(text: str, random: Random) -> str:
    """A greeting before it and thanks after it."""
    return f"{random.choice(_OPENINGS)} {text} {random.choice(_CLOSINGS)}"


def lower(text: str, random: Random) -> str:
    """All in lower case."""
    return text.lower()


def upper(text: str, random: Random) -> str:
    """All in upper case."""
    return text.upper()


def mistyped(text: str, random: Random) -> str:
    """A typing error in a tenth of its words: two letters swapped, one lost, doubled or hit beside the key.

    Words of fewer than four letters, and whatever is not a plain word, stay as they are.
    """
    words = text.split(" ")
    able = [number for number, word in enumerate(words) if len(word.strip(".,;:!?")) >= _LEAST_LETTERS and _plain(word)]
    wanted = min(len(able), max(1, round(SHARE * len(words))))
    for number in random.sample(able, wanted):
        words[number] = _slip(words[number], random)
    return " ".join(words)


PERTURBATIONS: Mapping[str, Callable[[str, Random], str]] = {
    "greetings and thanks": politely,
    "lower case": lower,
    "upper case": upper,
    "typing errors": mistyped,
}


def perturbed(text: str, kind: str, seed: int = 0) -> str:
    """The text asked otherwise, always the same for a seed. `kind`: a key of PERTURBATIONS."""
    return PERTURBATIONS[kind](text, Random(f"{seed}:{kind}:{text}"))  # noqa: S311 - no secret hangs on it


def _plain(word: str) -> bool:
    return word.strip(".,;:!?").isalpha()


def _slip(word: str, random: Random) -> str:
    letters = list(word)
    places = [n for n in range(1, len(letters) - 1) if letters[n].isalpha() and letters[n + 1].isalpha()]
    swaps = [n for n in places if letters[n] != letters[n + 1]]
    place = random.choice(places)
    match random.choice(("swap", "lose", "double", "beside")):
        case "swap" if swaps:
            place = random.choice(swaps)
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
        case "lose":
            del letters[place]
        case "double":
            letters.insert(place, letters[place])
        case _:
            letters[place] = _beside(letters[place], random)
    return "".join(letters)


def _beside(letter: str, random: Random) -> str:
    for row in _KEYS:
        place = row.find(letter.lower())
        if place >= 0:
            return random.choice(row[max(0, place - 1) : place] + row[place + 1 : place + 2])
    return letter * 2
