"""Which amounts are money, and how the currency of the house (STOCKVERIFY_CURRENCY) is told beside them: in headings,
labels and axes, so that the numbers stay as short as they are. Without a currency nothing is said that nobody knows."""

VALUE = "value"


def is_money(name: str) -> bool:
    """Whether a column holds an amount of money, by its name."""
    return any(part in name for part in ("cost", "mrp", "value"))


def axis_unit(currency: str) -> str:
    """The unit of an axis."""
    return currency or "currency"


def unit(kind: str, currency: str) -> str:
    """The unit of a figure: lines, units, share, or for values the currency."""
    return currency or kind if kind == VALUE else kind


def headed(title: str, currency: str) -> str:
    """The heading of a column of amounts."""
    return f"{title} ({currency})" if currency else title


def labelled(label: str, currency: str) -> str:
    """The label of a figure in value, which names the currency instead."""
    stem, _, last = label.rpartition(", ")
    return f"{stem}, {currency}" if currency and last == VALUE else label


def cell_format(currency: str) -> str:
    """The number format of a cell of a workbook. The code is a literal: Excel takes some letters for days and years."""
    return f'#,##0.00 "{currency}"' if currency else "#,##0.00"
