"""A comparison with tolerances, made of the one without: a tolerance only ever turns changed rows into unchanged ones,
so nothing but the changed rows has to be looked at again (docs/decisions/0058)."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
from msgspec.structs import replace
from sqlglot import exp

from analytics.compare import sql
from analytics.compare.columns import Plan, Schema, planned
from analytics.compare.comparison import Comparison
from analytics.compare.diff import Difference, bind, connected, counted, schema, written
from analytics.compare.kinds import Kind
from analytics.compare.tolerance import Tolerances
from analytics.lake import durable
from analytics.watching import Watch

_CHANGED = "changed_rows"
_ALIKE = (Kind.ADDED, Kind.REMOVED, Kind.KEY_DUPLICATE)
"""What no tolerance has a part in."""
_BEGUN = 0.9


def narrowed(exact: Comparison, tolerances: Tolerances, folder: Path, watch: Watch | None = None) -> Difference:
    """Write what `difference` with these tolerances would write. `exact` is the comparison without any. Raises
    BadTolerance, ComparisonTooLarge or Stopped."""
    watch = watch or Watch()
    files = [exact.folder / kind.file for kind in (Kind.CHANGED, Kind.KEY_DUPLICATE)]
    with connected(files, folder, watch) as connection:
        watch.phase(_BEGUN, 1.0)
        for name, path in zip((_CHANGED, sql.DOUBLED), files, strict=True):
            connection.read_parquet(str(path.absolute()), hive_partitioning=False).create_view(name)
        plan = _planned(connection, exact, tolerances)
        bind(connection, plan)
        wanted = sql.statements(plan)
        connection.execute(f"CREATE TEMP VIEW {sql.DIFFERING} AS {_differing(plan)}")
        connection.execute(f"CREATE TEMP VIEW {sql.JUDGED} AS {wanted.judged}")
        written(connection, wanted.rows[Kind.CHANGED], folder / Kind.CHANGED.file)
        found = counted(connection, plan, exact.number(Kind.CHANGED) + exact.manifest.unchanged)
    for kind in _ALIKE:
        durable.link(exact.folder / kind.file, folder / kind.file)
    return replace(found, added=exact.number(Kind.ADDED), removed=exact.number(Kind.REMOVED))


def _planned(connection: duckdb.DuckDBPyConnection, exact: Comparison, tolerances: Tolerances) -> Plan:
    """The plan of both sides, as the columns of the changed rows tell them. Raises BadTolerance."""
    kinds = schema(connection.view(_CHANGED))
    keys = {name: kinds[name] for name in exact.key}
    before, after = (keys | dict(_values(exact, kinds, side)) for side in (0, 1))
    return planned(before, after, exact.key, exact.ignored, tolerances)


def _values(exact: Comparison, kinds: Schema, side: int) -> Iterator[tuple[str, str]]:
    for name in exact.manifest.columns:
        strange = exact.manifest.type_changed.get(name)
        if (kind := strange[side] if strange else kinds[f"{name}_before"]) is not None:
            yield name, kind


def _differing(plan: Plan) -> str:
    """The changed rows as the join gave them."""
    keys = [_renamed(name, f"key_{place}") for place, name in enumerate(plan.key)]
    values = [
        _renamed(f"{value.name}_{side}", f"{side}_{place}")
        for place, value in enumerate(plan.values)
        for side, kind in (("before", value.before), ("after", value.after))
        if kind is not None
    ]
    both = [exp.true().as_(name) for name in (sql.HERE, sql.THERE)]
    return exp.select(*keys, *values, *both).from_(_CHANGED).sql("duckdb")


def _renamed(name: str, place: str) -> exp.Expr:
    return exp.alias_(exp.column(name, quoted=True), place)
