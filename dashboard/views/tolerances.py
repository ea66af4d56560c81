"""Tolerances of a comparison: as the address writes them, as the form shows them, and as the service wants them."""

from collections.abc import Mapping, Sequence

from analytics.compare import Tolerance, parsed
from analytics.compare.tolerance import BadTolerance, checked
from analytics.glance.words import heading
from stockverify.wire.comparisons import Limits

MOST = 1e12
"""The largest size that the form takes, in the unit of the column and in percent."""
_APART = ","


def written(tolerances: Mapping[str, Tolerance]) -> tuple[str, ...]:
    """As a person writes them, sorted: `verified_qty=0.5`, `verified_qty=5%`."""
    texts = []
    for column, size in sorted(tolerances.items()):
        if size.absolute is not None:
            texts.append(f"{column}={size.absolute:.12g}")
        if size.relative is not None:
            texts.append(f"{column}={100 * size.relative:.12g}%")
    return tuple(texts)


def in_address(tolerances: Mapping[str, Tolerance]) -> str:
    """The same in one text."""
    return _APART.join(written(tolerances))


def read(text: str, columns: Sequence[str]) -> dict[str, Tolerance]:
    """Those of an address that are of these columns; another dataset has others. Raises UnreadableTolerance or
    BadTolerance, the latter also for what the form has no room for."""
    found = parsed([each for each in text.split(_APART) if each.strip()])
    known = checked({name: size for name, size in found.items() if name in columns}, columns)
    for name, size in known.items():
        if max(size.absolute or 0, 100 * (size.relative or 0)) > MOST:
            raise BadTolerance(column=name, reason=f"it is above {MOST:g}")
    return known


def chosen(sizes: Mapping[str, tuple[float | None, float | None]]) -> dict[str, Tolerance]:
    """From the fields of the form: of each column a size in its own unit and one in percent, either of which may be
    empty."""
    return {
        column: Tolerance(absolute, None if percent is None else percent / 100)
        for column, (absolute, percent) in sizes.items()
        if (absolute, percent) != (None, None)
    }


def limits(tolerances: Mapping[str, Tolerance]) -> dict[str, Limits]:
    """For a comparison that the service makes."""
    return {name: Limits(absolute=size.absolute, relative=size.relative) for name, size in tolerances.items()}


def said(tolerances: Mapping[str, Tolerance]) -> str:
    """In words: what counts as unchanged."""
    if not tolerances:
        return "Tolerances: none, every step counts as a change"
    parts = [f"{heading(name).lower()} by {_size(size)}" for name, size in sorted(tolerances.items())]
    return f"Tolerances: {', '.join(parts)}"


def _size(size: Tolerance) -> str:
    absolute = [] if size.absolute is None else [f"{size.absolute:.12g}"]
    relative = [] if size.relative is None else [f"{100 * size.relative:.12g}%"]
    return " or ".join(absolute + relative)
