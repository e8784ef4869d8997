"""Whether a reply corrects the answer before it, in English or German.

Only plain denials count, at the start of a sentence that asks nothing: what is missed costs one label, what is taken
for a correction wrongly teaches something false.
"""

from __future__ import annotations

import re

MOST_CHARACTERS = 600

_START = r"^(?:(?:sorry|hm+|actually|well|no|nope|nein|nee|ne|leider|also|äh|moment|wait)\b[\s,.!–-]*)*"
_DENIED = re.compile(
    _START
    + r"""(?:
      (?:(?:that|this|it|your\ answer|the\ answer)(?:\ is|['’]s|\ was)\ (?:just\ |simply\ |actually\ |completely\ )?
        (?:wrong|incorrect|false|not\ (?:right|correct|true)|outdated|out\ of\ date|no\ longer\ (?:true|correct)))
    | (?:(?:that|this|it)\ (?:isn['’]t|wasn['’]t)\ (?:right|correct|true))
    | (?:wrong|incorrect)\s*[,.!:–-]
    | you(?:['’]re|\ are)\ wrong
    | (?:das|dies|die\ antwort)\ (?:stimmt\ (?:so\ |leider\ |schon\ lange\ )?nicht
        |ist\ (?:leider\ |so\ |aber\ )?(?:falsch|nicht\ (?:richtig|korrekt)|veraltet|überholt))
    | stimmt\ (?:so\ |leider\ )?nicht
    | falsch\s*[,.!:–-]
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_PUT_RIGHT = re.compile(
    r"""^(?:no|nope|nein|nee)\s*[,.!:–-]+\s*
    (?:(?:it|that)(?:['’]s|\s+is|\s+was)|they(?:['’]re|\s+are)|(?:es|das)\s+(?:ist|sind|war|waren|heißt))\s+
    (?!(?:all\ |just\ |schon\ |alles\ |ganz\ )?(?:fine|ok|okay|good|great|right|correct|true|enough|perfect|clear|it|all
      |gut|richtig|korrekt|in\ ordnung|prima|super|perfekt|klar|alles|genug)\b)\S""",
    re.IGNORECASE | re.VERBOSE,
)


def is_correction(text: str) -> bool:
    """Whether somebody says that the answer was wrong ("no, that is wrong, it is …", "das stimmt nicht")."""
    text = " ".join(text.split())
    if not text or len(text) > MOST_CHARACTERS or "?" in text:
        return False
    return bool(_DENIED.match(text) or _PUT_RIGHT.match(text))
