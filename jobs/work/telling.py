"""Telling the admins of what the worker has found or done by itself."""

from datetime import datetime

from jobs.mail.outbox import Outbox
from jobs.tools import Tools
from stockverify.vocabulary import Collection, Role


def tell_admins(tools: Tools, occasion: str, subject: str, text: str, now: datetime) -> int:
    """One notice to each admin for each occasion, for ever; how many are told for the first time."""
    outbox = Outbox(tools.database, tools.settings.mails)
    admins = tools.database[Collection.USERS].find({"role": Role.ADMIN.value, "is_active": True}, {"_id": 1})
    ids = sorted(str(admin["_id"]) for admin in admins)
    return sum(outbox.notify(f"{occasion}:{each}", each, subject, text, now) for each in ids)
