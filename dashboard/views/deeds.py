"""What people and the house did, in the words of whoever reads the audit log."""

from collections.abc import Mapping
from typing import Any

import msgspec

from analytics.glance.numbers import NOTHING
from stockverify.vocabulary import Action

DEEDS = {
    Action.LOGGED_IN: "Signed in",
    Action.LOGGED_OUT: "Signed out",
    Action.LOGIN_LOCKED: "Locked out after wrong attempts",
    Action.TOKEN_REUSED: "Login ended: its token came twice",
    Action.USER_MADE: "Account made",
    Action.USER_CHANGED: "Account changed",
    Action.DEVICE_INVITED: "Device invited",
    Action.DEVICE_ENROLLED: "Device enrolled",
    Action.DEVICE_REVOKED: "Device revoked",
    Action.RACK_CLAIMED: "Rack claimed",
    Action.RACK_TAKEN_OVER: "Rack taken over",
    Action.RACK_RELEASED: "Rack released",
    Action.RACK_FORCE_RELEASED: "Rack taken from its holder",
    Action.RACK_REVERIFY: "Recount of a rack asked for",
    Action.RACK_SWEPT: "Rack given back after silence",
    Action.SESSION_COMPLETED: "Rack completed",
    Action.SESSION_SWEPT: "Session ended after silence",
    Action.CONFLICT_RESOLVED: "Conflict settled",
    Action.SNAPSHOT_DELETED: "Snapshot deleted",
    Action.SNAPSHOT_PINNED: "Snapshot pinned",
    Action.SNAPSHOT_UNPINNED: "Snapshot unpinned",
    Action.EXPORT_ASKED: "File asked for",
    Action.EXPORT_CANCELLED: "File cancelled",
    Action.BACKUP_RESTORED: "Backup restored",
    Action.SCHEDULE_MADE: "Schedule made",
    Action.SCHEDULE_CHANGED: "Schedule changed",
    Action.SCHEDULE_PAUSED: "Schedule paused",
    Action.SCHEDULE_RESUMED: "Schedule resumed",
    Action.SCHEDULE_DELETED: "Schedule deleted",
    Action.SCHEDULE_RUN: "Schedule run",
    Action.DELIVERY_RETRIED: "Mail sent again",
    Action.DELIVERY_CANCELLED: "Mail cancelled",
    Action.UNSUBSCRIBED: "Unsubscribed from a report",
    Action.RESUBSCRIBED: "Subscribed to a report again",
    Action.FLAG_DISMISSED: "Anomaly dismissed",
    Action.FLAG_RESTORED: "Dismissal undone",
    Action.FLAG_RECOUNT: "Recount for an anomaly asked for",
    Action.IMPORT_COMMITTED: "Import of a stock list agreed to",
    Action.IMPORT_ENDED: "Import of a stock list ended",
}


def deed(action: str) -> str:
    """What was done; an action that this version does not know is shown as it is kept."""
    return DEEDS[Action(action)] if action in DEEDS else action


def details(told: Mapping[str, Any]) -> str:
    """What an entry tells besides, as `name: value`, none left out."""
    return " · ".join(f"{name.replace('_', ' ')}: {_value(value)}" for name, value in told.items())


def _value(value: Any) -> str:
    match value:
        case None | "" | []:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case list():
            return ", ".join(_value(each) for each in value)
        case str():
            return value
    return msgspec.json.encode(value).decode()
