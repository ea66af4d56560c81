"""What a query gives, and its rows in the shape of the contract."""

from datetime import datetime
from typing import Any

import polars as pl
from msgspec import Struct

from analytics.query.model import Query
from stockverify.datasets import Type

POLARS: dict[Type, Any] = {
    Type.STRING: pl.String(),
    Type.FLOAT: pl.Float64(),
    Type.INTEGER: pl.Int64(),
    Type.BOOLEAN: pl.Boolean(),
    Type.INSTANT: pl.Datetime("ms", "UTC"),
    Type.STRINGS: pl.List(pl.String()),
}


class QueryResult(Struct, frozen=True):
    """Rows with where they come from. `snapshot_id` is None for live data; group keys are columns of their own."""

    query: Query
    frame: pl.DataFrame
    snapshot_id: str | None
    as_of: datetime

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return self.frame.height

    def rows(self) -> list[dict[str, Any]]:
        """Rows as the contract has them: one group key is `_id`, several are an object in `_id`."""
        plain = self.frame.to_dicts()
        return [contract_row(self.query, row) for row in plain] if self.query.grouped else plain


def contract_row(query: Query, row: dict[str, Any]) -> dict[str, Any]:
    """A grouped row with its keys under `_id`; without group keys `_id` is null."""
    keys = {group_key.name: row[group_key.name] for group_key in query.group_by}
    key = next(iter(keys.values()), None) if len(keys) < 2 else keys
    return {"_id": key, **{measure.name: row[measure.name] for measure in query.measures}}


def frame_of(query: Query, documents: list[dict[str, Any]]) -> pl.DataFrame:
    """MongoDB's rows as a frame with the declared types, so that 3 stored as an integer is 3.0 here too."""
    flat = [_flat(query, document) for document in documents] if query.grouped else documents
    schema = {name: POLARS[kind] for name, kind in query.results()}
    columns = {name: [document[name] for document in flat] for name in schema}
    return shown(pl.DataFrame(columns, schema=schema, strict=False))


def shown(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as people see them: -0.0 is 0.0, of which the engines keep now one, now the other."""
    numbers = pl.col(pl.Float64)
    return rows.with_columns(pl.when(numbers == 0).then(0.0).otherwise(numbers).name.keep())


def _flat(query: Query, document: dict[str, Any]) -> dict[str, Any]:
    names = [key.name for key in query.group_by]
    keys = document["_id"] if len(names) > 1 else dict.fromkeys(names, document["_id"])
    return {**keys, **{measure.name: document[measure.name] for measure in query.measures}}
