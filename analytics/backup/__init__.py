"""Backups: what MongoDB holds at one moment, in the lake beside the snapshots, and the way back from there."""

from analytics.backup.manifest import BackupDamaged, Manifest
from analytics.backup.restoring import Restored, restore
from analytics.backup.store import BackupNotFound, Backups, NoBackup
from analytics.backup.writing import NothingToBackUp, back_up

__all__ = [
    "BackupDamaged",
    "BackupNotFound",
    "Backups",
    "Manifest",
    "NoBackup",
    "NothingToBackUp",
    "Restored",
    "back_up",
    "restore",
]
