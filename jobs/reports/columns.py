"""The columns that a report was asked for."""

from collections.abc import Sequence

from analytics.export import Table
from stockverify.errors import BadInput


class ColumnUnknown(BadInput):
    """This report has no column {name!r}; use: {known}."""


def narrowed(table: Table, wanted: Sequence[str] | None) -> Table:
    """The table with only these columns, in their order. Raises ColumnUnknown."""
    if not wanted:
        return table
    kinds = dict(table.columns)
    for name in wanted:
        if name not in kinds:
            raise ColumnUnknown(name=name[:80], known=", ".join(kinds))
    names = list(dict.fromkeys(wanted))
    batches = (batch.select(names) for batch in table.batches)
    return table._replace(columns=tuple((name, kinds[name]) for name in names), batches=batches)
