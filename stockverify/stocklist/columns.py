"""Finds our columns in the heading of a list: by their names, by common synonyms, or as the person says."""

from collections.abc import Mapping
from contextlib import suppress

from stockverify.datasets import ITEMS
from stockverify.errors import BadInput

COLUMNS = tuple(name for name in ITEMS.names if name != "updated_at")
REQUIRED = ("rack_id", "item_code", "book_qty")

SYNONYMS: dict[str, tuple[str, ...]] = {
    "floor": ("location", "area", "warehouse"),
    "rack_id": ("rack", "rack no", "shelf"),
    "bin": ("bin no", "bin location"),
    "item_code": ("sku", "article", "article no", "item", "item no", "code", "material", "product code"),
    "item_name": ("name", "description", "item description", "article name", "product", "product name"),
    "barcode": ("ean", "ean13", "upc", "gtin"),
    "category": ("group", "item group", "product group", "department"),
    "subcategory": ("subgroup", "item subgroup"),
    "uom": ("unit", "units", "unit of measure", "stock uom"),
    "unit_cost": ("cost", "cost price", "standard cost", "valuation rate"),
    "mrp": ("price", "list price", "retail price"),
    "book_qty": ("qty", "quantity", "stock", "on hand", "qty on hand", "stock qty", "book quantity"),
}


class UnknownColumn(BadInput):
    """--map {ours}={theirs}: there is no column {ours!r}. The columns are: {known}."""


class NoSuchHeading(BadInput):
    """--map {ours}={theirs}: the list has no column {theirs!r}. It has: {headings}."""


class ColumnsMissing(BadInput):
    """The list has no column for {missing}. It has: {headings}. Say which one it is with --map, for example
    --map {example}="Your heading"; if the headings look wrong, give --delimiter or --encoding."""


class TwoHeadings(BadInput):
    """The headings {first!r} (column {first_at}) and {second!r} (column {second_at}) both mean {ours}.
    Say which one to take with --map {ours}="Your heading", or rename one of them."""


def match(heading: tuple[str, ...], given: Mapping[str, str], *, guess: bool = True) -> dict[str, int]:
    """The position of each of our columns that the list has; `given` maps our names to headings, and the others are
    guessed if they may be.

    Raises UnknownColumn, NoSuchHeading, TwoHeadings or ColumnsMissing.
    """
    found = {ours: _given_position(heading, ours, theirs) for ours, theirs in given.items()}
    taken = set(found.values())
    for ours in COLUMNS if guess else ():
        if ours not in found and (position := _position(heading, ours, taken)) is not None:
            found[ours] = position
    if missing := [ours for ours in REQUIRED if ours not in found]:
        raise ColumnsMissing(missing=", ".join(missing), headings=_shown(heading), example=missing[0])
    return {ours: found[ours] for ours in COLUMNS if ours in found}


def guesses(heading: tuple[str, ...]) -> dict[str, int]:
    """The position of each of our columns that can be told by the heading alone; what is in doubt is left out."""
    found: dict[str, int] = {}
    for ours in COLUMNS:
        with suppress(TwoHeadings):
            if (position := _position(heading, ours, set(found.values()))) is not None:
                found[ours] = position
    return found


def _given_position(heading: tuple[str, ...], ours: str, theirs: str) -> int:
    if ours not in COLUMNS:
        raise UnknownColumn(ours=ours, theirs=theirs, known=", ".join(COLUMNS))
    for alike in (str.strip, _plain):
        positions = [place for place, name in enumerate(heading) if alike(name) == alike(theirs)]
        if len(positions) > 1:
            raise _two(heading, positions, ours)
        if positions:
            return positions[0]
    raise NoSuchHeading(ours=ours, theirs=theirs, headings=_shown(heading))


def _position(heading: tuple[str, ...], ours: str, taken: set[int]) -> int | None:
    """The heading with our own name, else the one that is a synonym of it."""
    for names in ((ours,), SYNONYMS[ours]):
        wanted = {_plain(name) for name in names}
        positions = [at for at, name in enumerate(heading) if at not in taken and _plain(name) in wanted]
        if len(positions) > 1:
            raise _two(heading, positions, ours)
        if positions:
            return positions[0]
    return None


def _two(heading: tuple[str, ...], positions: list[int], ours: str) -> TwoHeadings:
    first, second = positions[:2]
    return TwoHeadings(
        ours=ours, first=heading[first], first_at=first + 1, second=heading[second], second_at=second + 1
    )


def _plain(name: str) -> str:
    """`On-Hand`, `on hand` and `ON_HAND` are one name."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _shown(heading: tuple[str, ...]) -> str:
    shown = ", ".join(repr(name[:60]) for name in heading[:30])
    return shown + (f" and {len(heading) - 30} more" if len(heading) > 30 else "")
