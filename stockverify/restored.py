"""What was brought back from a backup shares its folders with the database of before, which may still be there: a copy
is looked at, and then people go on with the one before (docs/decisions/0034)."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from stockverify.vocabulary import Action

LEFT_ALONE_FOR = timedelta(days=31)
"""So long after a restore. Whoever works with the copy for longer will not go back."""
ENTRIES = {"action": Action.BACKUP_RESTORED.value}
"""What finds the entries of the audit log that tell of restores."""


def lately(entries: Iterable[Mapping[str, Any]], now: datetime) -> bool:
    """Whether one of them is less than 31 days old."""
    return any(each["at"] > now - LEFT_ALONE_FOR for each in entries)
