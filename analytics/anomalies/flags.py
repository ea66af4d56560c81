"""The one shape of all flags: what is odd, how odd, why, against what, and the rows that prove it."""

import hashlib
from typing import Any

import msgspec
import polars as pl

from stockverify.vocabulary import AnomalyKind

_TYPES: dict[str, Any] = {
    "flag_id": pl.String,
    "kind": pl.String,
    "severity": pl.Float64,
    "subject_type": pl.String,
    "subject": pl.String,
    "why": pl.String,
    "baseline": pl.String,
    "dataset": pl.String,
    "proof": pl.List(pl.List(pl.String)),
    "proof_rows": pl.Int64,
}
FLAG = pl.Schema({**_TYPES, "racks": pl.List(pl.String), "counters": pl.List(pl.String)})
"""The columns of flags. `proof` holds the keys of rows, each key as the dataset declares it; `proof_rows` says how many
rows there are in all; `racks` and `counters` are those of the rows in `proof`."""

FOUND = pl.Schema({"strength": pl.Float64, "key": pl.List(pl.String), **dict(list(_TYPES.items())[3:])})
"""What a detector gives. `strength` says how many times its limit something is, `key` what the flag is about."""


class Findings(msgspec.Struct, frozen=True):
    """The flags of one kind, the most severe first, and how many there are in all."""

    rows: pl.DataFrame
    total: int


def findings(rows: pl.DataFrame) -> Findings:
    """What a detector found; `total` says in each row how many there are without the limit."""
    total: int = rows["total"][0] if rows.height else 0
    return Findings(rows.select(*FOUND).cast(FOUND), total)


def flagged(kind: AnomalyKind, rows: pl.DataFrame) -> pl.DataFrame:
    """A detector's rows as flags without places. The severity is 0 at the limit and nears 1 far beyond it.

    The id comes from the kind and from what the flag is about, and from nothing that was counted, so that it stays the
    same from one snapshot to the next.
    """
    ids = [_id(kind, subject, key) for subject, key in rows.select("subject_type", "key").iter_rows()]
    severity = (1 - 1 / pl.col("strength").clip(1.0)).round(6)
    named = rows.with_columns(pl.Series("flag_id", ids, pl.String), kind=pl.lit(str(kind)), severity=severity)
    return named.select(*_TYPES).cast(pl.Schema(_TYPES))


def ranked(flags: pl.DataFrame) -> pl.DataFrame:
    """The most severe first."""
    return flags.sort("severity", "kind", "flag_id", descending=[True, False, False])


def number(amount: str | pl.Expr) -> pl.Expr:
    """A number as sentences have it: 12 and 2.5, not 12.0."""
    shown = (pl.col(amount) if isinstance(amount, str) else amount).cast(pl.Float64).round(2) + 0.0
    return shown.cast(pl.String).str.strip_suffix(".0")


def counted(amount: str, noun: str) -> pl.Expr:
    """So many of something: 1 record, 2 records."""
    return pl.format(
        "{} {}{}", amount, pl.lit(noun), pl.when(pl.col(amount) == 1).then(pl.lit("")).otherwise(pl.lit("s"))
    )


def percent(share: str | pl.Expr) -> pl.Expr:
    """A share as sentences have it."""
    return pl.format("{} %", number((pl.col(share) if isinstance(share, str) else share) * 100))


def line() -> pl.Expr:
    """The place of a line in words."""
    bin_ = pl.when(pl.col("bin") == "").then(pl.lit("")).otherwise(pl.format(" bin {}", "bin"))
    return pl.format("{} in {}{}", "item_code", "rack_id", bin_)


def _id(kind: AnomalyKind, subject_type: str, key: list[str]) -> str:
    return "a-" + hashlib.sha256(msgspec.json.encode([kind, subject_type, *key])).hexdigest()[:20]
