import pytest

from stockverify.stocklist.columns import (
    COLUMNS,
    SYNONYMS,
    ColumnsMissing,
    NoSuchHeading,
    TwoHeadings,
    UnknownColumn,
    match,
)


def test_our_own_names_in_any_case_and_order() -> None:
    assert match(("Book Qty", "RACK-ID", "Item_Code"), {}) == {"rack_id": 1, "item_code": 2, "book_qty": 0}


@pytest.mark.parametrize(
    ("ours", "theirs"), [(ours, theirs) for ours, names in SYNONYMS.items() for theirs in names], ids=str
)
def test_every_synonym_is_found(ours: str, theirs: str) -> None:
    others = [name for name in ("rack_id", "item_code", "book_qty") if name != ours]
    assert match((*others, theirs.upper()), {})[ours] == len(others)


def test_no_synonym_means_two_columns() -> None:
    names = [theirs.replace(" ", "") for name in COLUMNS for theirs in (name.replace("_", ""), *SYNONYMS[name])]
    assert len(names) == len(set(names))


def test_our_own_name_beats_a_synonym() -> None:
    assert match(("rack_id", "sku", "item_code", "qty"), {}) == {"rack_id": 0, "item_code": 2, "book_qty": 3}


def test_what_is_given_beats_both_and_frees_the_other() -> None:
    heading = ("rack_id", "item_code", "Material", "qty", "On order")
    given = {"item_code": "Material", "book_qty": "on_order"}
    assert match(heading, given) == {"rack_id": 0, "item_code": 2, "book_qty": 4}


def test_two_headings_for_one_column_are_asked_about() -> None:
    with pytest.raises(TwoHeadings, match=r"'sku' \(column 2\) and 'Article' \(column 3\) both mean item_code"):
        match(("rack_id", "sku", "Article", "qty"), {})
    with pytest.raises(TwoHeadings, match=r"'qty' \(column 3\) and 'qty' \(column 4\)"):
        match(("rack_id", "sku", "qty", "qty"), {"book_qty": "qty"})


def test_a_missing_column_is_named_with_what_there_is() -> None:
    with pytest.raises(ColumnsMissing, match=r"no column for rack_id, book_qty\. It has: 'Code', 'Menge'"):
        match(("Code", "Menge"), {})


def test_a_mapping_must_name_what_exists() -> None:
    with pytest.raises(UnknownColumn, match="no column 'colour'"):
        match(("rack_id", "sku", "qty"), {"colour": "sku"})
    with pytest.raises(NoSuchHeading, match="no column 'Menge'"):
        match(("rack_id", "sku", "qty"), {"book_qty": "Menge"})
