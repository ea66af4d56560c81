"""From one total to another, step by step: where each bar begins and ends, and how that is drawn."""

from typing import NamedTuple

import altair as alt
import polars as pl

from analytics.charts.style import APART, BLUE, LEGEND, NEUTRAL, QUIET, ROW, VERMILLION, amounts, label_of, plain

_WHOLE = "Total"


class End(NamedTuple):
    """A total, and what it is called."""

    name: str
    value: float


class Words(NamedTuple):
    """What the chart says: its title, what the axis measures and in which unit, what a step is, and what a step to the
    left and one to the right mean."""

    title: str
    axis: str
    step: str
    down: str
    up: str


def waterfall(first: End, steps: pl.DataFrame, last: End, words: Words) -> alt.LayerChart:
    """The chart of `steps`, which has the columns step and amount, in the order given; the axis begins where the steps
    can be seen, and says so when that is not at 0."""
    rows = placed(first, steps, last, words)
    domain = _domain(rows)
    title = words.axis if domain[0] <= 0 <= domain[1] else f"{words.axis}; axis does not start at 0"
    colours = alt.Scale(domain=[_WHOLE, words.down, words.up], range=[NEUTRAL, VERMILLION, BLUE])
    grid = alt.Chart(rows).encode(
        y=alt.Y("place:N", title=words.step, sort=None, axis=alt.Axis(labelExpr=label_of(1), labelLimit=200)),
        tooltip=["step", alt.Tooltip("amount:Q", format="+,.2f"), alt.Tooltip("after:Q", format=",.2f", title="total")],
    )
    scale = alt.Scale(domain=domain, nice=False, zero=False)
    bars = grid.mark_bar(clip=True).encode(
        x=alt.X("before:Q", title=title, scale=scale, axis=amounts()),
        x2="after:Q",
        color=alt.Color("meaning:N", title=None, scale=colours, legend=LEGEND),
    )
    edge = alt.X("edge:Q", title=title, axis=amounts())
    numbers = grid.mark_text(align="left", dx=4, color=QUIET).encode(x=edge, text="shown:N")
    both = alt.LayerChart(layer=[bars, numbers])
    return plain(both.properties(title=words.title, width="container", height=ROW))


def placed(first: End, steps: pl.DataFrame, last: End, words: Words) -> pl.DataFrame:
    """The bars, from top to bottom. Each has a place of its own, whatever it is called."""
    moved = steps.with_columns(after=first.value + pl.col("amount").cum_sum()).with_columns(
        before=pl.col("after") - pl.col("amount"),
        meaning=pl.when(pl.col("amount") < 0).then(pl.lit(words.down)).otherwise(pl.lit(words.up)),
    )
    start, end = (_end(each) for each in (first, last))
    rows = pl.concat([start, moved.select(start.columns), end])
    number = pl.int_range(pl.len()).cast(pl.String).str.zfill(3)
    texts = [f"{amount:,.0f}" if meaning == _WHOLE else f"{amount:+,.0f}" for amount, meaning in _labels(rows)]
    return rows.with_columns(
        place=pl.concat_str(number, pl.lit(APART), "step"),
        edge=pl.max_horizontal("before", "after"),
        shown=pl.Series(texts, dtype=pl.String),
    )


def largest(frame: pl.DataFrame, name: str, amount: str, shown: int, rest: str) -> pl.DataFrame:
    """The largest amounts as steps, whatever their sign; all that are left are one step, `rest (how many)`."""
    moved = frame.filter(pl.col(amount) != 0).sort(pl.col(amount).abs(), descending=True, maintain_order=True)
    steps = moved.select(step=pl.col(name), amount=pl.col(amount))
    left = steps.slice(shown)
    others = left.select(step=pl.lit(f"{rest} ({left.height})"), amount="amount")
    return pl.concat([steps.head(shown), others.group_by("step").agg(pl.col("amount").sum())])


def _labels(rows: pl.DataFrame) -> list[tuple[float, str]]:
    return list(rows.select("amount", "meaning").iter_rows())


def _end(end: End) -> pl.DataFrame:
    row = {"step": [end.name], "amount": [end.value], "before": [0.0], "after": [end.value], "meaning": [_WHOLE]}
    return pl.DataFrame(row)


def _domain(rows: pl.DataFrame) -> list[float]:
    """So much of the axis that the steps can be seen, with room for the numbers on the right. Totals below 0 are drawn
    whole: their numbers stand beyond 0."""
    levels = pl.concat([rows["after"], rows.filter(pl.col("meaning") != _WHOLE)["before"]])
    low, high = float(levels.min() or 0), float(levels.max() or 0)  # type: ignore[arg-type]
    spread = max(high - low, abs(high) / 20, 1.0)
    nearly = low < spread  # what is near 0 may as well begin there: then all bars are as long as their totals
    return [min(low - spread / 4, 0.0) if nearly else low - spread / 4, max(high, 0.0) + spread / 4]
