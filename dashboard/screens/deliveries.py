"""Deliveries: every mail, what became of it and why, and the mail itself as its recipient sees it."""

from dashboard import delivery_list, mail_card, notes
from dashboard.calls import deliveries as calls
from dashboard.context import open_house
from dashboard.desk import open_desk
from dashboard.heading import live
from dashboard.messages import guarded
from dashboard.messages import show as show_message


def show() -> None:
    """Draw the page."""
    house = open_house()
    desk = open_desk(house)
    answered = live(house, "Deliveries")
    notes.tell()
    found = delivery_list.found(desk)
    answered()
    delivery_list.table(house, found)
    if not found.deliveries and not delivery_list.looked_at():
        show_message(delivery_list.NONE_HERE)
        return
    mail = calls.one(desk, delivery_list.choose(found.deliveries))
    mail_card.head(house, mail)
    mail_card.links(mail)
    if desk.settles:
        with guarded("This mail"):
            mail_card.actions(desk, mail)
    with guarded("The letter"):
        mail_card.content(house, desk, mail)


if __name__ == "__main__":
    show()
