"""Charts of what is missing and what is in excess."""

import altair as alt
import polars as pl

from analytics.charts.style import BLUE, NEUTRAL, ROW, VERMILLION, named, plain, titled

_BOOK, _FOUND, _REST = "Book value", "Verified value", "All others"
_COLOURS = alt.Scale(domain=["Value", "Missing", "In excess"], range=[NEUTRAL, VERMILLION, BLUE])


def verified_against_book(by_floor: pl.DataFrame) -> alt.Chart:
    """What the book says beside what was found, of the lines that are counted."""
    rows = named(by_floor, "floor").unpivot(["book_units", "verified_units"], index="floor", variable_name="quantity")
    shown = rows.with_columns(pl.col("quantity").replace({"book_units": "Book", "verified_units": "Verified"}))
    colours = alt.Scale(domain=["Book", "Verified"], range=[NEUTRAL, BLUE])
    return titled(
        alt.Chart(shown).mark_bar(),
        "Verified against book quantity of counted lines, by floor",
        x=alt.X("value:Q", title="Quantity (units)"),
        y=alt.Y("floor:N", title="Floor", sort=None),
        yOffset=alt.YOffset("quantity:N", sort=["Book", "Verified"]),
        color=alt.Color("quantity:N", title=None, scale=colours),
        tooltip=["floor", "quantity", alt.Tooltip("value:Q", format=",.2f", title="units")],
    )


def variance_by_category(by_category: pl.DataFrame, shown: int = 20) -> alt.Chart:
    """Where money is missing or in excess: the categories with the largest net variance at cost."""
    rows = _largest(named(by_category, "category"), shown)
    return _signed(rows, "category", "Category", "Net variance at cost, by category")


def biggest_rack_variances(by_rack: pl.DataFrame, shown: int = 15) -> alt.Chart:
    """Which racks to look at first: those with the largest net variance at cost."""
    rows = _largest(named(by_rack, "rack_id"), shown)
    return _signed(rows, "rack_id", "Rack", f"Largest net variances at cost, first {shown} racks")


def variance_waterfall(by_category: pl.DataFrame, shown: int = 12) -> alt.LayerChart:
    """From the book value to the verified value of the counted lines, one step for each category: the largest first,
    the rest in one step."""
    rows = _steps(named(by_category, "category"), shown)
    domain = _domain(rows)
    cut = "" if domain[0] <= 0 <= domain[1] else "; axis does not start at 0"
    axis = f"Value at cost (currency{cut})"
    grid = alt.Chart(rows).encode(
        y=alt.Y("step:N", title="Category", sort=None, axis=alt.Axis(labelLimit=200)),
        tooltip=["step", alt.Tooltip("amount:Q", format="+,.2f"), alt.Tooltip("after:Q", format=",.2f")],
    )
    bars = grid.mark_bar(clip=True).encode(
        x=alt.X("before:Q", title=axis, scale=alt.Scale(domain=domain, nice=False, zero=False)),
        x2="after:Q",
        color=alt.Color("meaning:N", title=None, scale=_COLOURS, legend=alt.Legend(orient="top")),
    )
    edge = alt.X("edge:Q", title=axis)
    words = grid.mark_text(align="left", dx=4, color=NEUTRAL).encode(x=edge, text=alt.Text("amount:Q", format=",.0f"))
    title = "From book value to verified value at cost, by category"
    return plain(alt.LayerChart(layer=[bars, words]).properties(title=title, width="container", height=ROW))


def _steps(frame: pl.DataFrame, shown: int) -> pl.DataFrame:
    """The bars of the waterfall: where each begins and ends, and what it means."""
    varied = frame.filter(pl.col("net_variance_value") != 0).sort(
        pl.col("net_variance_value").abs(), descending=True, maintain_order=True
    )
    amounts = varied.select(step="category", amount="net_variance_value")
    rest = amounts.slice(shown).select(step=pl.lit(f"{_REST} ({max(amounts.height - shown, 0)})"), amount="amount")
    steps = pl.concat([amounts.head(shown), rest.group_by("step").agg(pl.col("amount").sum())])
    book = float(frame["book_value"].sum())
    moved = steps.with_columns(after=book + pl.col("amount").cum_sum()).with_columns(
        before=pl.col("after") - pl.col("amount"),
        meaning=pl.when(pl.col("amount") < 0).then(pl.lit("Missing")).otherwise(pl.lit("In excess")),
    )
    ends = {_BOOK: book, _FOUND: float(frame["verified_value"].sum())}
    first, last = (_end(name, value) for name, value in ends.items())
    rows = pl.concat([first, moved.select(first.columns), last])
    return rows.with_columns(edge=pl.max_horizontal("before", "after"))


def _end(name: str, value: float) -> pl.DataFrame:
    return pl.DataFrame({"step": [name], "amount": [value], "before": [0.0], "after": [value], "meaning": ["Value"]})


def _domain(rows: pl.DataFrame) -> list[float]:
    """So much of the axis that the steps can be seen, with room for the words on the right."""
    levels = pl.concat([rows["after"], rows.filter(pl.col("meaning") != "Value")["before"]])
    low, high = float(levels.min() or 0), float(levels.max() or 0)  # type: ignore[arg-type]
    spread = max(high - low, abs(high) / 20, 1.0)
    return [low - spread / 2, high + spread / 2]


def _largest(frame: pl.DataFrame, shown: int) -> pl.DataFrame:
    varied = frame.filter(pl.col("net_variance_value") != 0)
    size = pl.col("net_variance_value").abs()
    return varied.sort(size, descending=True, maintain_order=True).head(shown).sort("net_variance_value")


def _signed(rows: pl.DataFrame, column: str, axis: str, title: str) -> alt.Chart:
    missing = alt.condition("datum.net_variance_value < 0", alt.value(VERMILLION), alt.value(BLUE))
    return titled(
        alt.Chart(rows).mark_bar(),
        title,
        x=alt.X("net_variance_value:Q", title="Net variance (currency; left of 0 is missing)"),
        y=alt.Y(f"{column}:N", title=axis, sort=None),
        color=missing,
        tooltip=[column, alt.Tooltip("net_variance_value:Q", format=",.2f"), "net_variance_units", "counted_lines"],
    )
