"""How far an export is, and how it is stopped: whoever watches is told after every batch, and may raise."""

from collections.abc import Callable, Iterator

import polars as pl

from analytics.export.tables import Table
from stockverify.errors import Refused

Watch = Callable[[int, int | None], None]
"""Is told how many rows are done and how many there are, if that is known; what it raises ends the export."""


class Cancelled(Refused):
    """The export was cancelled after {rows} rows; nothing of it was kept."""


def unwatched(_done: int, _total: int | None) -> None:
    """Nobody looks."""


def watched(table: Table, watch: Watch, step: int) -> Table:
    """The same table in batches of at most `step` rows; each is reported when the next one is asked for."""
    return table._replace(batches=_reported(table, watch, step))


def _reported(table: Table, watch: Watch, step: int) -> Iterator[pl.DataFrame]:
    done = 0
    watch(done, table.rows)
    for batch in table.batches:
        for part in batch.iter_slices(step):
            yield part
            done += part.height
            watch(done, table.rows)
