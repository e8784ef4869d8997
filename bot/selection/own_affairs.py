"""Whether a question is about the team itself, so that nobody but its own documents can know the answer.

Only short questions count that begin with a question word. Whoever wants something written, named or translated, or
brings along what it is about, asks for work and not for a fact: “our” in there says whom it is for.
"""

from __future__ import annotations

import re

_MOST_WORDS = 40

_BEFORE = re.compile(
    r"^(?:(?:please|pls|bitte|so|and|but|ok|okay|und|also)\b[\s,]*"
    r"|(?:(?:tell|show|remind)|(?:sag|zeig|erkläre?)(?:e|t)?)\s+(?:me|us|mir|uns)\s*,?\s+(?:again\s+|bitte\s+|mal\s+)*"
    r"|(?:can|could|will|would)\s+you\s+(?:please\s+)?(?:tell|show|remind|say|explain)(?:\s+to)?\s+(?:me|us)\s*,?\s+)+",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(?:(?:in|at|to|for|from|by|on|since|until|with|an|auf|aus|bei|bis|für|in|mit|nach|seit|um|unter|von|zu)\s+)?"
    r"(?:who(?:m|se)?|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|may|must|shall|should|will|would"
    r"|has|have|had|wer|wem|wen|wessen|was|wann|wo(?:hin|her|für|mit|von|rin|ran|rauf|zu)?|welche[mnrs]?|warum|wieso"
    r"|weshalb|wie(?:viele?)?|ist|sind|war|waren|wird|werden|gibt|hat|haben|habt|darf|dürfen|kann|können|muss|müssen|soll"
    r"|sollen|sollten)(?:['’]s|['’]re)?\b",
    re.IGNORECASE,
)
# “US” in capitals is a country, and so is “the us”.
_OWN = re.compile(
    r"\b(?:our|ours|we|unser(?:e[mnrs]?)?|wir|uns)\b|(?<!\bthe )(?-i:\bus\b)|<#C[A-Z0-9]+"
    r"|\b(?:in|at|for) (?:this|the) (?:team|company|channel)\b|\bin (?:diesem|dem|der|dieser) (?:team|firma|kanal)\b",
    re.IGNORECASE,
)
# What stands in quotes, in code or behind a line break was brought along.
_BROUGHT = re.compile(r"```.*?(?:```|$)|`[^`\n]*`|“[^”\n]*”|„[^“”\n]*[“”]|\"[^\"\n]*\"|«[^»\n]*»|\n.*", re.DOTALL)
_WRITING = (
    r"(?:write|draft|word|phrase|rephrase|reword|rewrite|translate|summari[sz]e|proofread|compose|paraphrase|shorten"
    r"|brainstorm|come up with|improve|describe|announce|thank|introduce|invite|congratulate|call|name|title)"
)
_TASKS = (
    # “Can you write our …”: whoever speaks to the assistant and asks for no fact.
    r"^(?:can|could|will|would)\s+you\b(?!\s+(?:find|look\s+up|remember|recall|say|know)\b)",
    rf"^how\s+(?:would|could|should|can|might|do)\s+(?:you|i|one)\s+(?:best\s+|politely\s+)?{_WRITING}\b",
    rf"^(?:what|which)\s+(?:would|could|should|can|might)\s+(?:you|i|we)\s+(?:{_WRITING}|suggest|put|say)\b",
    r"^(?:what|which)(?:['’]s|['’]re|\s+(?:is|are|would\s+be|could\s+be))?\s+(?:an?\s+|some\s+|the\s+)?"
    r"(?:good|better|nice|catchy|funny|short|creative|cool|polite|great|fun)\s+[\w-]+",
    r"^(?:what|which)(?:['’]re|\s+(?:are|would\s+be))\s+some\s+(?:\w+\s+)?(?:ideas?|names?|ways?|questions|titles?|topics)\b",
    r"^wie\s+(?:kann|könnte|soll|sollte|würdest|würde|könntest)\s+(?:ich|du|man)\b.*"
    r"(?:schreiben|formulieren|übersetzen|nennen|ausdrücken|zusammenfassen|vorstellen|begrüßen|danken)\b",
    r"^(?:was|welche[rs]?)\s+(?:ist|sind|wäre|wären)\s+(?:eine?n?\s+)?(?:gute|schöne|lustige|kreative|passende)[rsn]?\s+\w+",
    r"^wie\s+(?:formuliere|schreibe|übersetze|nenne)\s+ich\b",
    # “How do we know that …”, “what do we call …”, “how do we say … in …”: everybody's “we”.
    r"\bdo\s+we\s+(?:even\s+|really\s+)?(?:know\s+(?:that|if|whether|the\b)|call\s+an?\b|say\s.*\bin\s+[A-Z]\w+)",
    r"^(?:warum|wieso|why\s+do)\s+(?:we\s+|träumen\s+wir|schlafen\s+wir|gähnen\s+wir)(?:dream|sleep|yawn|sneeze|age|cry|laugh)?"
    r"(?:\s*\?|\s+(?:when|at\s+night|beim|nachts))",
)
_IS_TASK = re.compile("|".join(f"(?:{task})" for task in _TASKS), re.IGNORECASE)


def is_about_the_team(asked: str) -> bool:
    """Whether what was asked (without greeting and thanks) is a fact of the team's own: “our”, “we”, a channel."""
    own_words = " ".join(_BROUGHT.sub(" ", asked).split())
    if len(asked.split()) > _MOST_WORDS:
        return False
    question = _BEFORE.sub("", own_words)
    return bool(_ASKS.match(question) and _OWN.search(question) and not _IS_TASK.search(question))
