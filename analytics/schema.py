"""The logical types of stockverify.datasets in the words of Arrow; Parquet, DuckDB and Polars follow from these."""

from functools import cache

import pyarrow as pa

from stockverify.datasets import Column, Dataset, Type

ARROW: dict[Type, pa.DataType] = {
    Type.STRING: pa.string(),
    Type.FLOAT: pa.float64(),
    Type.INTEGER: pa.int64(),
    Type.BOOLEAN: pa.bool_(),
    # MongoDB keeps milliseconds; a finer unit would promise what is not there.
    Type.INSTANT: pa.timestamp("ms", tz="UTC"),
    Type.STRINGS: pa.list_(pa.string()),
}


@cache
def arrow_schema(dataset: Dataset) -> pa.Schema:
    """The columns of a dataset, in order, as every Parquet file of the lake has them."""
    return pa.schema([(column.name, ARROW[column.type]) for column in dataset.columns])


def described(columns: tuple[Column, ...]) -> tuple[tuple[str, str], ...]:
    """Names and logical types, as manifests keep them."""
    return tuple((column.name, column.type.value) for column in columns)
