"""Sends what is due in the outbox."""

import threading
from datetime import datetime

from pymongo.database import Database

from stockverify.clients import Document
from stockverify.settings import Settings


class Sender:
    """One of any number of senders; a mail is in the hands of one at a time."""

    def __init__(self, database: Database[Document], settings: Settings, name: str, stop: threading.Event) -> None:
        """Raises BadSetting when the settings for mail contradict each other."""
        self._database, self._settings, self._name, self._stop = database, settings, name, stop

    def tick(self, now: datetime) -> None:
        """Send what is due."""
        raise NotImplementedError
