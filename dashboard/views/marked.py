"""Changed rows with their changed cells marked."""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from analytics.glance.numbers import NOTHING, amount
from analytics.glance.words import heading
from stockverify.datasets import Type

MARK = "background-color: rgba(230, 159, 0, 0.30)"
"""A ground that is seen on light and on dark; which columns changed is also said in words, in a column of its own."""
CHANGED = "changed_columns"
_SIDES = ("_before", "_after", "_delta")


def marked(rows: pl.DataFrame, shown: Sequence[tuple[str, Type]]) -> Any:
    """Rows for st.dataframe: those columns, and of each changed value both sides and the step marked."""
    names = [name for name, _ in shown]
    words = pl.col(CHANGED).list.eval(pl.element().replace(_headings(names))).list.join(", ")
    table = rows.select(words if name == CHANGED else pl.col(name) for name in names).to_pandas()
    styles = rows.select(_mark(name).alias(name) for name in names).to_pandas()
    return table.style.apply(lambda _: styles, axis=None).format(_formats(shown), na_rep=NOTHING)


def _mark(name: str) -> pl.Expr:
    base = next((name.removesuffix(side) for side in _SIDES if name.endswith(side)), "")
    hit = pl.col(CHANGED).list.contains(base) if base else pl.lit(value=False)
    return pl.when(hit).then(pl.lit(MARK)).otherwise(pl.lit(""))


def _headings(names: Sequence[str]) -> dict[str, str]:
    bases = {name.removesuffix(side) for name in names for side in _SIDES}
    return {base: heading(base) for base in bases}


def _formats(shown: Sequence[tuple[str, Type]]) -> dict[str, Callable[[float], str]]:
    return {name: _number for name, kind in shown if kind in (Type.FLOAT, Type.INTEGER)}


def _number(value: float) -> str:
    return amount(value, "units")
