"""BSON batches to Arrow tables. The only file that imports pymongoarrow."""

import warnings
from typing import Any

import bson
import pyarrow as pa
from bson.codec_options import CodecOptions

from analytics.extract import book
from analytics.schema import ARROW, arrow_schema
from stockverify.datasets import BOOK, Dataset, Type
from stockverify.errors import SetupError

with warnings.catch_warnings():
    # pymongoarrow 1.15 was built against the struct sizes of pyarrow 25.0.0 and warns of those of 25.0.1. Both
    # packages allow the pair, and arrays only pass through the C data interface between them;
    # tests/analytics/extract/test_arrow.py sends every type through it.
    warnings.filterwarnings("ignore", r"pyarrow\.lib\.\w+ size changed", RuntimeWarning)
    from pymongoarrow.context import PyMongoArrowContext
    from pymongoarrow.schema import Schema


class WrongType(SetupError):
    """{collection} holds a document that does not fit its declared types: _id {key!r}: {reason}. Correct that document;
    nothing was published."""


def projection(dataset: Dataset) -> dict[str, Any]:
    """The fields that are read; `_id` always comes with them and names a faulty document."""
    return book.PROJECTION if dataset is BOOK else {column.field: 1 for column in dataset.columns}


def table(dataset: Dataset, batch: bytes, options: "CodecOptions[Any]") -> pa.Table:
    """The declared columns of a batch of documents; a line of the book gives a row for each of its versions.
    Missing fields become null. Raises WrongType.

    Whole numbers are read as floats and then made integers, which fails on 2.5; read as integers it would become 2.
    NaN, which no accepted record has, becomes null.
    """
    try:
        return _convert(dataset, batch, options)
    except (TypeError, pa.ArrowInvalid) as error:
        raise WrongType(
            collection=dataset.collection, key=_culprit(dataset, batch, options), reason=str(error)
        ) from None


def _convert(dataset: Dataset, batch: bytes, options: "CodecOptions[Any]") -> pa.Table:
    if dataset is BOOK:
        return book.versions(_read(book.FIELDS, batch, options))
    read_as = {Type.INTEGER: pa.float64()}
    fields = {column.field: read_as.get(column.type, ARROW[column.type]) for column in dataset.columns}
    return _read(fields, batch, options).rename_columns(list(dataset.names)).cast(arrow_schema(dataset))


def _read(fields: dict[str, pa.DataType], batch: bytes, options: "CodecOptions[Any]") -> pa.Table:
    context = PyMongoArrowContext(Schema(fields), codec_options=options)
    context.process_bson_stream(batch)
    return context.finish()


def _culprit(dataset: Dataset, batch: bytes, options: "CodecOptions[Any]") -> Any:
    for document in bson.decode_all(batch, options):
        try:
            _convert(dataset, bson.encode(document), options)
        except (TypeError, pa.ArrowInvalid):
            return document["_id"]
    return None
