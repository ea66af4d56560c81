"""What can have become of a row from one table to another."""

from enum import StrEnum


class Kind(StrEnum):
    """Kinds of rows of which a comparison keeps a list."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    KEY_DUPLICATE = "key_duplicate"

    @property
    def file(self) -> str:
        """The name of the file that holds them."""
        return f"{self}.parquet"
