"""What a figure is: its name, its meaning, and how it is computed. docs/figures.md says the same; a test compares."""

from typing import Literal, NamedTuple

import polars as pl

from stockverify.settings import Settings

Better = Literal["more", "less", "neither"]


class Figure(NamedTuple):
    """One figure: its column, heading, unit (lines, units, value, share, hours, per hour or seconds), formula in words,
    where the formula comes from, which direction is good, and how it is computed: an expression over positions as
    `stock.prepared` gives them, for shares over the sums of these, or an aggregate in SQL over the counts of `work`."""

    name: str
    title: str
    unit: str
    formula: str
    source: str
    better: Better
    value: pl.Expr | str

    @property
    def adds_up(self) -> bool:
        """Whether the figures of groups add up to that of the whole."""
        return self.unit in ("lines", "units", "value")


class Tolerance(NamedTuple):
    """How far a verified quantity may be from the book and still count as right: the larger of so many units and of
    that share of the book quantity."""

    units: float = 0.0
    share: float = 0.0


EXACT = Tolerance()


def tolerance_of(settings: Settings) -> Tolerance:
    """The tolerance of the house."""
    return Tolerance(settings.tolerance_units, settings.tolerance_share)
