"""What lies in the lake: some snapshots each time, those first that were not checked for longest; the newest backup."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from analytics.backup import Backups
from analytics.lake import Lake, durable
from analytics.lake.audit import verify_some
from jobs.integrity.faults import Check, Fault
from stockverify.errors import StockVerifyError

AT_ONCE = 20
_NOTE = "checked.json"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def snapshots(lake: Lake, now: datetime, at_once: int = AT_ONCE) -> Iterator[Fault]:
    """The faults of a number of snapshots, whose files are read anew; then it is noted that they were checked."""
    checked, ids = _noted(lake.root), lake.ids()
    oldest = sorted(ids, key=lambda snapshot_id: (checked.get(snapshot_id, _NEVER), snapshot_id))[:at_once]
    for problem in verify_some(lake.root, oldest):
        yield Fault(Check.SNAPSHOTS, problem.message)
    if oldest:
        _note(lake.root, {each: checked[each] for each in ids if each in checked} | dict.fromkeys(oldest, now))


def newest_backup(lake: Lake) -> Iterator[Fault]:
    """Whether the newest backup could be restored: every file is read."""
    backups = Backups(lake.root)
    for backup_id in backups.ids()[:1]:
        try:
            backups.checked(backup_id)
        except StockVerifyError as error:
            yield Fault(Check.BACKUPS, error.message)


def _noted(root: Path) -> dict[str, datetime]:
    """When each snapshot was checked; a note that cannot be read says that none was."""
    try:
        return msgspec.json.decode((root / _NOTE).read_bytes(), type=dict[str, datetime])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _note(root: Path, checked: dict[str, datetime]) -> None:
    with durable.replacing(root / _NOTE) as draft:
        draft.write_bytes(msgspec.json.encode(checked))
