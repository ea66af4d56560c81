"""What the engines are compared on: values apt to tell them apart, and queries drawn at random."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from analytics.query.model import Unit
from stockverify.datasets import RECORDS, Dataset, Type
from stockverify.wire.reports import GroupBy, QuerySpec
from tests.analytics.stock import NOW

TEXTS = (
    "",
    "a",
    "A",
    "ab",
    "00123",
    "123",
    "é",
    "É",
    "ſ",
    "s",
    "k",
    "\u212a",
    "漢",
    "😀",
    "a\nb",
    "ab\n",
    "x.y",
    "ß",
    " ",
    "a%b_*",
    "e\u0301",
    "\uffff",
    "\U0010ffff",
    "\U0010ffff\U0010ffffa",
    "$floor",
)
NUMBERS = (
    *(0, 0.0, -0.0, 1, 2, 2.5, -2.25, 1e12, 0.25, 999_999_999_999.75, 0.1),
    *(1.14, -7.3, 12345678901.123457, -8589934592.700001, 0.000001, None),
)
PATTERNS = (
    "a",
    "^a",
    "a$",
    "^$",
    "b$",
    ".",
    "a.b",
    r"\s",
    r"^\S*$",
    r"\d+",
    r"\w",
    r"\W",
    "[a-z]",
    "É",
    "S|K",
    "(?:ab){1,2}",
)
TIMES = tuple(NOW + timedelta(milliseconds=step) for step in (0, 1, 86_400_000))
INSTANTS = (
    *TIMES,
    *(
        datetime.fromisoformat(text).replace(tzinfo=UTC)
        for text in (
            "0001-01-01T00:00:00",
            "0999-12-31T23:59:59.999",
            "1847-11-30T23:58:44",
            "1890-07-01T22:54:38",
            "1899-12-31T23:30:00",
            "1945-05-08T22:30:00",
            "2026-03-29T00:59:59.999",
            "2026-03-29T01:00:00",
            "2026-03-29T22:00:00",
            "2026-04-05T03:00:00",
            "2026-10-29T21:00:00",
            "2026-10-25T00:30:00",
            "2026-10-25T01:30:00",
            "2026-10-25T22:59:59.999",
            "2026-10-25T23:00:00",
            "2026-12-31T18:29:59.999",
            "2026-12-31T18:30:00",
            "2027-02-28T23:30:00",
            "2048-02-29T22:30:00",
            "2100-06-30T22:30:00",
            "2577-10-29T00:59:59",
            "9999-12-31T23:59:59.999",
        )
    ),
)
ZONES = (
    "UTC",
    "Europe/Vienna",
    "America/Santiago",
    "Asia/Kolkata",
    "Africa/Cairo",
    "America/Vancouver",
    "Australia/Lord_Howe",
    "Etc/GMT+12",
)


NULLABLE = ("floor", "mrp", "serial_numbers", "unknown_item", "received_at", "created_at")


VALUES: dict[Type, st.SearchStrategy[Any]] = {
    Type.STRING: st.sampled_from(TEXTS),
    Type.STRINGS: st.sampled_from(TEXTS[:5]),
    Type.FLOAT: st.sampled_from([number for number in NUMBERS if number is not None]),
    Type.INTEGER: st.sampled_from([0, 1, 2, 2.5]),
    Type.BOOLEAN: st.booleans(),
    Type.INSTANT: st.sampled_from([*INSTANTS, TIMES[0] + timedelta(microseconds=500)]),
}


@st.composite
def comparisons(draw: st.DrawFn, kind: Type, having: bool = False) -> Any:
    """One filter on a field of that type."""
    value = VALUES[kind]
    choices = [value, st.none()]
    operators: dict[str, st.SearchStrategy[Any]] = {
        "eq": st.one_of(choices),
        "ne": st.one_of(choices),
        "in": st.lists(st.one_of(choices), max_size=4),
        "nin": st.lists(st.one_of(choices), max_size=4),
        "exists": st.booleans(),
        "is_null": st.booleans(),
    }
    if kind not in (Type.STRINGS, Type.BOOLEAN):
        operators |= dict.fromkeys(("gt", "gte", "lt", "lte"), value)
        operators["between"] = st.lists(value, min_size=2, max_size=2)
    if kind in (Type.STRING, Type.STRINGS):
        operators |= dict.fromkeys(("contains", "starts_with"), value)
    if kind is Type.STRING and not having:
        operators["regex"] = st.sampled_from(PATTERNS)
    chosen = draw(st.lists(st.sampled_from(sorted(operators)), min_size=1, max_size=2, unique=True))
    return {operator: draw(operators[operator]) for operator in chosen}


def _expressions(kind: Type, names: Mapping[str, Type], depth: int) -> st.SearchStrategy[str]:
    """Expressions of that type over these fields."""
    fields = [name for name, found in names.items() if _as_calculated(found) is kind]
    leaves = [st.sampled_from(fields)] if fields else []
    if kind in LITERALS:
        leaves.append(LITERALS[kind])
    if depth == 0 or kind in (Type.STRING, Type.INSTANT):
        return st.one_of(leaves)
    numbers, truths = (_expressions(each, names, depth - 1) for each in (Type.FLOAT, Type.BOOLEAN))
    if kind is Type.FLOAT:
        moments = _expressions(Type.INSTANT, names, 0)
        sums = st.builds("({} {} {})".format, numbers, st.sampled_from("+-*/"), numbers)
        return st.one_of(
            *leaves, sums, sums, numbers.map("-{}".format), st.builds("({} - {})".format, moments, moments)
        )
    ordered = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
    compared = [
        st.builds("({} {} {})".format, each, ordered, each)
        for each in (numbers, *(_expressions(found, names, 0) for found in (Type.STRING, Type.INSTANT)))
    ]
    equal = st.builds("({} {} {})".format, truths, st.sampled_from(["=", "!="]), truths)
    joined = st.builds("({} {} {})".format, truths, st.sampled_from(["and", "or"]), truths)
    return st.one_of(*leaves, *compared, equal, joined, truths.map("(not {})".format))


def _as_calculated(kind: Type) -> Type:
    return Type.FLOAT if kind is Type.INTEGER else kind


LITERALS: dict[Type, st.SearchStrategy[str]] = {
    Type.FLOAT: st.sampled_from(["0", "1", "2.5", "0.1", "3", "1e12", "1e300", "1e-300"]),
    Type.BOOLEAN: st.sampled_from(["true", "false"]),
    Type.STRING: st.sampled_from(TEXTS).map(lambda text: "'" + text.replace("'", "''") + "'"),
}


@st.composite
def specs(draw: st.DrawFn, dataset: Dataset = RECORDS) -> QuerySpec:
    """Any query that a client may ask of it."""
    columns = {column.name: column.type for column in dataset.columns}
    scalars = [name for name, kind in columns.items() if kind is not Type.STRINGS]
    moments = [name for name, kind in columns.items() if kind is Type.INSTANT]
    known = dict(columns)
    calculated = {}
    for name in ("one", "Two")[: draw(st.integers(0, 2))]:
        kind = draw(st.sampled_from([Type.FLOAT, Type.BOOLEAN]))
        calculated[name] = draw(_expressions(kind, known, draw(st.integers(0, 3))))
        known[name] = kind
    fields = draw(st.lists(st.sampled_from([*calculated, *sorted(columns)]), max_size=3, unique=True))
    plain = draw(st.lists(st.sampled_from([*calculated, *scalars]), max_size=3, unique=True))
    periods = draw(st.lists(st.tuples(st.sampled_from(moments), st.sampled_from(list(Unit))), max_size=2, unique=True))
    group_by = [*plain, *(GroupBy(field=name, by=by, zone=draw(st.sampled_from(ZONES))) for name, by in periods)]
    aggregated = draw(st.lists(st.sampled_from([*calculated, *sorted(columns)]), max_size=3, unique=True))
    aggregations = {
        name: draw(st.lists(st.sampled_from(_functions(known[name])), min_size=1, max_size=3, unique=True))
        for name in aggregated
    }
    results = {name: known[name] for name in plain} | {f"{name}_{by}": Type.STRING for name, by in periods}
    results |= {f"{name}_{each}": _type(known[name], each) for name in aggregated for each in aggregations[name]}
    having = draw(st.lists(st.sampled_from(sorted(results)), max_size=2, unique=True)) if results else []
    sortable = [*results, "_id"] if results else [*calculated, *scalars]
    sort = draw(st.lists(st.sampled_from(sortable), max_size=3, unique=True))
    return QuerySpec(
        collection=dataset.name,
        calculated=calculated,
        filters={name: draw(comparisons(known[name])) for name in fields},
        group_by=group_by,
        aggregations={name: found[0] if len(found) == 1 else found for name, found in aggregations.items()},
        having={name: draw(comparisons(results[name], having=True)) for name in having},
        sort={name: draw(st.sampled_from([1, -1])) for name in sort},
        limit=draw(st.none() | st.integers(1, 50)),
        skip=draw(st.integers(0, 5)),
    )


def _functions(kind: Type) -> list[str]:
    if kind is Type.STRINGS:
        return ["count", "count_distinct"]
    numeric = kind in (Type.FLOAT, Type.INTEGER)
    return ["count", "count_distinct", "min", "max", *(["sum", "avg"] if numeric else [])]


def _type(kind: Type, function: str) -> Type:
    if function.startswith("count"):
        return Type.INTEGER
    return Type.FLOAT if function == "avg" else kind
