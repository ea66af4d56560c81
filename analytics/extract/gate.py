"""The gate before publishing: what must hold of a snapshot, or it stays unseen and the run says why."""

from collections.abc import Mapping
from datetime import timedelta
from math import isclose

from msgspec import Struct

from analytics.extract.moment import Totals
from stockverify.datasets import RECORDS, Dataset
from stockverify.errors import Refused


class SnapshotRefused(Refused):
    """The snapshot was not published, and the one before stays the latest. Check: {check} of {dataset}. Expected:
    {expected}; found: {found}. {advice}"""


class Terms(Struct, frozen=True, kw_only=True):
    """What the gate lets pass. Items and sessions may become fewer by `may_fall` percent from one snapshot to the next,
    records only with `accept_fewer`, which a person says. Each dataset is compared with the whole collection again once
    `whole_every` has passed. `whole` reads everything even if nothing forces it."""

    may_fall: float = 20.0
    accept_fewer: bool = False
    whole_every: timedelta = timedelta(days=1)
    whole: bool = False


_NOISE = 0.0005
"""Half of the least that scales tell, a gram of a kilogram."""
_ADVICE = (
    "Take a whole one with `stockverify snapshot --full`; if that is refused too, look for what writes to MongoDB."
)


def reconciled(dataset: str, expected: Totals, found: Totals) -> None:
    """Rows and sums must be those that MongoDB has at the same moment. Raises SnapshotRefused.

    Floats are added in another order here, which is all that may show. MongoDB carries the errors of its additions
    along, so that a trillionth of the sum is plenty; the half of a gram is for sums in which large numbers cancel out.
    """
    if found.rows != expected.rows:
        raise _refused("row count", dataset, f"{expected.rows:,}", f"{found.rows:,}")
    for name, wanted in expected.sums.items():
        if not isclose(found.sums.get(name, 0.0), wanted, rel_tol=1e-12, abs_tol=_NOISE):
            raise _refused(f"sum of {name}", dataset, f"{wanted:,.6f}", f"{found.sums.get(name, 0.0):,.6f}")


def unrepeated(dataset: Dataset, key: str | None) -> None:
    """No key may name two rows; `key` is one that does. Raises SnapshotRefused."""
    if key is not None:
        expected, found = f"each ({', '.join(dataset.key)}) once", f"({key}) several times"
        raise _refused("unique keys", dataset.name, expected, found)


def in_band(before: Mapping[str, int], after: Mapping[str, int], terms: Terms) -> None:
    """Rows by dataset, in the snapshot before and in this one. Raises SnapshotRefused when too many are gone."""
    for name, rows in after.items():
        least = least_rows(name, before.get(name, 0), terms.may_fall)
        if rows < least and not terms.accept_fewer:
            advice = (
                "If they were removed on purpose, or a backup was brought back, say so with "
                "`stockverify snapshot --full --accept-fewer`."
            )
            raise SnapshotRefused(
                check="rows against the snapshot before",
                dataset=name,
                expected=f"at least {least:,}",
                found=f"{rows:,}",
                advice=advice,
            )


def least_rows(dataset: str, before: int, may_fall: float) -> int:
    """How many rows there must be at least. Records are never deleted, so they never become fewer."""
    return before if dataset == RECORDS.name else int(before * (1 - may_fall / 100))


def _refused(check: str, dataset: str, expected: str, found: str) -> SnapshotRefused:
    return SnapshotRefused(check=check, dataset=dataset, expected=expected, found=found, advice=_ADVICE)
