"""The statements of a comparison, as SQL for DuckDB. Names become quoted identifiers; sizes of tolerances are read from
variables that the caller binds.

The relations are `before_rows` and `after_rows` (the tables), `doubled` (keys that occur more than once), `differing`
(rows that are not exactly equal on both sides, or on one side only) and `judged` (the same with a verdict).
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from sqlglot import exp

from analytics.compare.columns import Plan, Value
from analytics.compare.kinds import Kind
from analytics.millionths import rounded_sql
from stockverify.datasets import Type

BEFORE, AFTER, DOUBLED, DIFFERING, JUDGED = "before_rows", "after_rows", "doubled", "differing", "judged"
SET_ASIDE = "SELECT coalesce(sum(before_rows), 0)::BIGINT FROM doubled"
"""How many rows before have a doubled key."""
HERE, THERE, _CHANGED = "in_before", "in_after", "is_changed"


class Statements(NamedTuple):
    """What is asked, in this order; `rows` gives the rows of each kind."""

    unique_before: str
    rows_after: str
    doubled: str
    differing: str
    alone: str
    judged: str
    rows: dict[Kind, str]
    tally: str


@lru_cache(maxsize=64)
def statements(plan: Plan) -> Statements:
    """The statements of a comparison. Making them costs as much as comparing some thousands of rows."""
    return Statements(
        unique_before=_unique_keys(plan),
        rows_after=_text(exp.select("count(*)").from_(AFTER)),
        doubled=_doubled(plan),
        differing=_differing(plan),
        alone=_unmatched(plan),
        judged=_judged(plan),
        rows={
            Kind.ADDED: _alone(plan, "after"),
            Kind.REMOVED: _alone(plan, "before"),
            Kind.CHANGED: _changed(plan),
            Kind.KEY_DUPLICATE: _doubled_sorted(plan),
        },
        tally=_tally(plan),
    )


def _unique_keys(plan: Plan) -> str:
    """How many different hashes the keys before have, and how many rows. Different hashes are different keys."""
    different = _different(_named(name) for name in plan.key)
    return _text(exp.select(different, "count(*)").from_(BEFORE))


def _unmatched(plan: Plan) -> str:
    """How many rows only the side before has, how many only the side after, and how many hashes their keys have."""
    different = _different(exp.column(f"key_{place}") for place in range(len(plan.key)))
    only_after = exp.Filter(this=different, expression=exp.Where(this=exp.not_(HERE)))
    counts = (f"count(*) FILTER (WHERE NOT {there})" for there in (THERE, HERE))
    return _text(exp.select(*counts, only_after).from_(DIFFERING))


def _different(keys: Iterable[exp.Expr]) -> exp.Expr:
    return exp.Count(this=exp.Distinct(expressions=[exp.func("hash", *keys)]))


def _doubled(plan: Plan) -> str:
    """The keys that occur more than once on either side, with how often."""
    keys = [_named(name) for name in plan.key]
    sides = [
        exp.select(*keys, f"{here} AS in_before", f"{1 - here} AS in_after").from_(side)
        for side, here in ((BEFORE, 1), (AFTER, 0))
    ]
    sums = "sum(in_before)::BIGINT AS before_rows", "sum(in_after)::BIGINT AS after_rows"
    both = exp.union(*sides, distinct=False).subquery("both")
    return _text(exp.select(*keys, *sums).from_(both).group_by(*keys).having("sum(in_before) > 1 OR sum(in_after) > 1"))


def _differing(plan: Plan) -> str:
    """A full join on the key, without doubled keys, that keeps what is not equal. Null equals null, NaN equals NaN,
    -0.0 equals 0.0."""
    sides = [_side(side, plan) for side in (BEFORE, AFTER)]
    pairs = [
        exp.NullSafeEQ(this=_named(f"key_{place}", "b"), expression=_named(f"key_{place}", "a"))
        for place in range(len(plan.key))
    ]
    keys = [
        _case(_named(HERE, "b"), _named(f"key_{place}", "b"), _named(f"key_{place}", "a")).as_(f"key_{place}")
        for place in range(len(plan.key))
    ]
    values = [_named(name, side) for side in "ba" for name in _sides(plan, "before" if side == "b" else "after")]
    flags = [exp.func("coalesce", _named(name, side), exp.false()).as_(name) for name, side in _FLAGS]
    alone = [exp.Is(this=_named(name, side), expression=exp.Null()) for name, side in _FLAGS]
    differ = [
        exp.NullSafeNEQ(this=_named(f"before_{place}", "b"), expression=_named(f"after_{place}", "a"))
        for place, _ in plan.compared
    ]
    joined = exp.select(*keys, *values, *flags).from_(sides[0].subquery("b"))
    joined = joined.join(sides[1].subquery("a"), on=exp.and_(*pairs), join_type="full")
    return _text(joined.where(exp.or_(*alone, *differ)))


def _judged(plan: Plan) -> str:
    """Each differing row with the deltas of its numbers, and which columns moved, within tolerance or not."""
    deltas = [_delta(place, value) for place, value in enumerate(plan.values) if value.is_number]
    stepped = exp.select("*", *deltas).from_(DIFFERING).subquery("stepped")
    verdicts = []
    for place, value in plan.compared:
        moved = exp.and_(HERE, THERE, f"before_{place} IS DISTINCT FROM after_{place}")
        within = _within(place, value)
        verdicts += [
            exp.alias_(exp.and_(moved, exp.not_(within)), f"changed_{place}"),
            exp.alias_(exp.and_(moved, within), f"within_{place}"),
        ]
    some = exp.or_(exp.false(), *(f"changed_{place}" for place, _ in plan.compared)).as_(_CHANGED)
    return _text(exp.select("*", some).from_(exp.select("*", *verdicts).from_(stepped).subquery("verdicts")))


def _tally(plan: Plan) -> str:
    """Numbers of rows: doubled keys, removed, added, changed, and matched within tolerance; then, of each compared
    column, in how many rows it changed and in how many it moved within its tolerance."""
    columns = [f"{verdict}_{place}" for place, _ in plan.compared for verdict in ("changed", "within")]
    both = f"{HERE} AND {THERE}"
    rows = [f"NOT {THERE}", f"NOT {HERE}", f"{both} AND {_CHANGED}", f"{both} AND NOT {_CHANGED}"]
    counts = [f"count(*) FILTER (WHERE {each})" for each in (*rows, *columns)]
    return _text(exp.select("(SELECT count(*) FROM doubled)", *counts).from_(JUDGED))


def _alone(plan: Plan, side: str) -> str:
    """Whole rows that only that side has, `before` or `after`, sorted by key."""
    keys = [exp.alias_(f"key_{place}", name, quoted=True) for place, name in enumerate(plan.key)]
    values = [
        exp.alias_(f"{side}_{place}", value.name, quoted=True)
        for place, value in enumerate(plan.values)
        if (value.before if side == "before" else value.after) is not None
    ]
    where = f"NOT {THERE}" if side == "before" else f"NOT {HERE}"
    return _text(exp.select(*keys, *values).from_(JUDGED).where(where).order_by(*_order(plan)))


def _changed(plan: Plan) -> str:
    """Changed rows: the key, the names of the columns that changed, and of each column before, after and delta."""
    keys = [exp.alias_(f"key_{place}", name, quoted=True) for place, name in enumerate(plan.key)]
    names = [
        _case(exp.column(f"changed_{place}"), exp.array(exp.Literal.string(value.name)), exp.array())
        for place, value in plan.compared
    ]
    moved = exp.cast(exp.func("flatten", exp.array(*names)), "VARCHAR[]", dialect="duckdb")
    columns = [column for place, value in enumerate(plan.values) for column in _shown(place, value)]
    where = exp.and_(HERE, THERE, _CHANGED)
    selected = exp.select(*keys, exp.alias_(moved, "changed_columns"), *columns)
    return _text(selected.from_(JUDGED).where(where).order_by(*_order(plan)))


def _doubled_sorted(plan: Plan) -> str:
    """The keys that occur more than once, sorted."""
    keys = [exp.Ordered(this=_named(name), desc=False, nulls_first=True) for name in plan.key]
    return _text(exp.select("*").from_(DOUBLED).order_by(*keys))


_FLAGS = ((HERE, "b"), (THERE, "a"))


def _side(side: str, plan: Plan) -> exp.Select:
    """A table with its columns named by their places, so that no name of theirs meets one of ours."""
    prefix, flag = ("before", HERE) if side == BEFORE else ("after", THERE)
    keys = [exp.alias_(_named(name, "s"), f"key_{place}") for place, name in enumerate(plan.key)]
    values = [
        exp.alias_(_named(value.name, "s"), f"{prefix}_{place}")
        for place, value in enumerate(plan.values)
        if (value.before if side == BEFORE else value.after) is not None
    ]
    rows = exp.select(*keys, *values, exp.true().as_(flag)).from_(exp.alias_(exp.to_table(side), "s", table=True))
    same = [exp.NullSafeEQ(this=_named(name, "d"), expression=_named(name, "s")) for name in plan.key]
    found = exp.select("1").from_(exp.alias_(exp.to_table(DOUBLED), "d", table=True)).where(exp.and_(*same))
    return rows.where(exp.not_(exp.Exists(this=found)))


def _sides(plan: Plan, side: str) -> Iterator[str]:
    for place, value in enumerate(plan.values):
        if (value.before if side == "before" else value.after) is not None:
            yield f"{side}_{place}"


def _delta(place: int, value: Value) -> exp.Expr:
    """After minus before; null where one is null, and where the step of an integer is none of 64 bits."""
    if value.before == Type.INTEGER:
        step: exp.Expr = exp.maybe_parse(
            f"TRY_CAST(after_{place}::HUGEINT - before_{place}::HUGEINT AS BIGINT)", dialect="duckdb"
        )
    else:
        step = _rounded(f"(after_{place} - before_{place})")
    return exp.alias_(step, f"delta_{place}")


def _rounded(number: str) -> exp.Expr:
    return exp.maybe_parse(rounded_sql(number), dialect="duckdb")


def _within(place: int, value: Value) -> exp.Expr:
    """Whether a step is within tolerance; never null."""
    tolerance, bounds = value.tolerance, list[exp.Expr]()
    if tolerance and tolerance.absolute is not None:
        bounds.append(exp.maybe_parse(f"getvariable('absolute_{place}')", dialect="duckdb"))
    if tolerance and tolerance.relative is not None:
        bounds.append(_rounded(f"(getvariable('relative_{place}') * abs(before_{place}::DOUBLE))"))
    if not bounds:
        return exp.false()
    size: exp.Expr = exp.maybe_parse(f"abs(delta_{place}::DOUBLE)", dialect="duckdb")
    near = exp.or_(*(exp.LTE(this=size.copy(), expression=bound) for bound in bounds))
    finite: exp.Expr = exp.maybe_parse(f"isfinite(delta_{place}::DOUBLE)", dialect="duckdb")
    return exp.func("coalesce", exp.and_(finite, near), exp.false())


def _shown(place: int, value: Value) -> Iterator[exp.Expr]:
    exists = {"before": value.before is not None, "after": value.after is not None, "delta": value.is_number}
    for side in (side for side, there in exists.items() if there):
        yield exp.alias_(f"{side}_{place}", f"{value.name}_{side}", quoted=True)


def _order(plan: Plan) -> list[exp.Expr]:
    return [
        exp.Ordered(this=exp.column(f"key_{place}"), desc=False, nulls_first=True) for place in range(len(plan.key))
    ]


def _case(condition: exp.Expr, then: exp.Expr, otherwise: exp.Expr) -> exp.Expr:
    return exp.case().when(condition, then).else_(otherwise)


def _named(name: str, table: str | None = None) -> exp.Column:
    return exp.column(name, table=table, quoted=True)


def _text(statement: exp.Expr) -> str:
    return statement.sql("duckdb")
