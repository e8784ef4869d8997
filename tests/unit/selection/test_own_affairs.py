from __future__ import annotations

import pytest

from bot.selection.wording import is_own_affair


@pytest.mark.parametrize(
    "text",
    [
        "How do we rotate keys?",
        "<@U0SWITCH> hi team, how do we rotate our keys? Thanks!",
        "Who is on call for us this week?",
        "Which database does our shop use?",
        "Can we deploy on Fridays?",
        "What's our refund policy?",
        "May we expense lunch?",
        "Could you tell us where our runbook lies?",
        "Tell me how we rotate keys",
        "Please tell me who our lawyer is",
        "In which channel do we announce releases?",
        "Since when do we use Kafka?",
        "Who answers in <#C0HELP|help>?",
        "Who may deploy in this team?",
        "How do we write release notes?",
        "Wie rotieren wir die Schlüssel?",
        "Wer ist unser Ansprechpartner für Datenschutz?",
        "An wen wenden wir uns bei Störungen?",
        "Wieso deployen wir freitags nicht?",
        "Hallo zusammen, darf man bei uns freitags deployen?",
        "Kannst du uns sagen, wo unser Handbuch liegt?",
        "Muss ich unserem Team Bescheid geben?",
    ],
)
def test_a_question_for_a_fact_of_the_team_is_its_own_affair(text: str) -> None:
    assert is_own_affair(text)


@pytest.mark.parametrize(
    "text",
    [
        "write a haiku about Mondays",
        "what is 17*23",
        "What is the capital of France?",
        "Who is the president of the US?",
        "who is the president of the us",
        "What time is it in the US and in the UK?",
        "Write a post about our new office",
        "Can you write a post about our new office?",
        "Could you translate this for us: guten Tag",
        "Would you shorten our announcement? We are happy to tell you that the office has moved.",
        "How should I phrase an invitation to our summer party?",
        "How would you introduce our team to a customer?",
        "What is a good name for our new robot?",
        "What would be a catchy title for our newsletter?",
        "What are some ideas for our offsite?",
        "What should we call our new meeting room?",
        "What does “we are legion” mean?",
        "What does `our_keys.rotate()` return?",
        "Is this sentence right?\nWe was at our office.",
        "How do we know that the earth is round?",
        "What do we call a baby kangaroo?",
        "How do we say thank you in French?",
        "Why do we yawn?",
        "Give us three jokes about printers",
        "Schreib eine Einladung zu unserem Sommerfest",
        "Kannst du unsere Einladung ins Englische übersetzen?",
        "Wie würdest du unser Team einem Kunden vorstellen?",
        "Wie kann ich eine Absage an unseren Lieferanten höflich formulieren?",
        "Was ist ein guter Name für unseren neuen Roboter?",
        "Was wäre ein lustiger Titel für unseren Newsletter?",
        "Was ist die Hauptstadt von Frankreich?",
        "Was ist 17*23?",
        "Wie wird das Wetter morgen in Wien?",
        f"Is it right to do it like this: {'we did this and then that ' * 10}?",
    ],
)
def test_general_questions_and_tasks_are_nobodys_own_affair(text: str) -> None:
    assert not is_own_affair(text)
