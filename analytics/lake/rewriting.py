"""Pure: which files of a snapshot its successor keeps, and which it writes anew."""

from collections.abc import Sequence, Set
from pathlib import Path
from typing import NamedTuple

from analytics.lake.parts import ROWS_PER_PART, Kept


class Rewriting(NamedTuple):
    """The files that are kept, and those whose rows go into new files."""

    kept: tuple[Kept, ...]
    again: tuple[Kept, ...]


def rewriting(
    parts: Sequence[Kept], touched: Set[Path], incoming: int, rows_per_part: int = ROWS_PER_PART
) -> Rewriting:
    """Files with changed rows are written anew, together with small ones that the new rows outgrow.

    A file is small enough when it has at most twice the rows that are written anyway. So each small file that stays
    has more than twice the rows of the next smaller one: there are never more than log2(rows_per_part) of them, and
    each row is written about that many times until its file is full.
    """
    again = {part.path for part in parts if part.path in touched}
    rows = incoming + sum(part.part.rows for part in parts if part.path in again)
    for each in sorted(parts, key=lambda kept: kept.part.rows):
        if each.path not in again and rows and each.part.rows <= 2 * rows and each.part.rows < rows_per_part:
            again.add(each.path)
            rows += each.part.rows
    return Rewriting(
        tuple(part for part in parts if part.path not in again), tuple(part for part in parts if part.path in again)
    )
