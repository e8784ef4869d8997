"""The demo workspace: a small robotics company with four invented people."""

from __future__ import annotations

from deploy.workspace.state import BOT_USER, Channel, Person, State

PEOPLE = (
    Person("U0MAYA", "maya", "Maya Chen", is_admin=True, is_owner=True, color="1d7a8c"),
    Person("U0LEO", "leo", "Leo Brandt", color="b4532a"),
    Person("U0ANA", "ana", "Ana Silva", color="6b4fa1"),
    Person("U0SAM", "sam", "Sam Okafor", color="3f7d3a"),
)


def demo_seed() -> State:
    """A fresh copy of the demo workspace: its people, the bot, six channels and everybody's direct messages."""
    humans = [Person(**vars(person)) for person in PEOPLE]
    bot = Person(BOT_USER, "switchboard", "Switchboard", is_bot=True, color="4a154b")
    everyone = [person.id for person in humans]
    with_bot = [*everyone, BOT_USER]
    channels = [
        Channel("C0GENERAL", "general", list(with_bot), topic="Company-wide announcements and questions"),
        Channel("C0HELP", "help", list(with_bot), topic="Ask anything; Switchboard answers"),
        Channel("C0ENG", "engineering", list(with_bot), topic="Robots, firmware and deploys"),
        Channel("G0FIN", "finance", ["U0MAYA", "U0ANA", BOT_USER], is_private=True, topic="Budgets and invoices"),
        Channel("C0REPORTS", "switchboard-reports", list(with_bot), topic="What the models cost"),
        Channel("C0RANDOM", "random", list(everyone), topic="Anything else"),
    ]
    state = State("T0LOCAL", "Acme Robotics", [*humans, bot], channels)
    for user in everyone:
        state.direct_messages(user)
    return state
