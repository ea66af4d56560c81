"""What a check has to say."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that was looked at. `advice` is empty when all is well."""

    check: str
    fine: bool
    says: str
    advice: str = ""
