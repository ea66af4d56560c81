"""How columns look in tables: headings, units, money, and times in the zone of the house."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from analytics.figures import FIGURES
from analytics.glance.money import VALUE, headed, is_money
from analytics.glance.words import heading
from stockverify.datasets import Type

_TIME = "D MMM YYYY, HH:mm:ss"
_MONEY, _QUANTITY, _WHOLE, _SHARE = "%,.2f", "localized", "%,d", "percent"
_UNIT_FORMATS = {"lines": _WHOLE, "units": _QUANTITY, "value": _MONEY}


DATASET_NAMES = {
    "positions": "Positions",
    "verification_records": "Records",
    "verification_sessions": "Sessions",
    "erp_items": "Stock list",
}


def columns(kinds: Iterable[tuple[str, Type]], zone: ZoneInfo, currency: str = "") -> dict[str, ColumnConfig]:
    """The look of each column by its logical type; identifiers stay text and keep their zeros."""
    return {name: column(name, kind, zone, currency) for name, kind in kinds}


def column(name: str, kind: Type, zone: ZoneInfo, currency: str = "") -> ColumnConfig:
    """The look of one column."""
    title = heading(name)
    match kind:
        case Type.FLOAT:
            if is_money(name):
                return st.column_config.NumberColumn(headed(title, currency), format=_MONEY)
            unit = " (units)" if "_qty" in name else ""
            return st.column_config.NumberColumn(f"{title}{unit}", format=_QUANTITY)
        case Type.INTEGER:
            return st.column_config.NumberColumn(title, format=_WHOLE)
        case Type.BOOLEAN:
            return st.column_config.CheckboxColumn(title)
        case Type.INSTANT:
            return st.column_config.DatetimeColumn(f"{title} ({zone.key})", format=_TIME, timezone=zone.key)
        case Type.STRINGS:
            return st.column_config.ListColumn(title)
    return st.column_config.TextColumn(title)


def figure_columns(currency: str = "") -> dict[str, ColumnConfig]:
    """The look of the figures of a group, and of the groups' names."""
    shown = {
        figure.name: st.column_config.NumberColumn(
            headed(figure.title, {"units": "units", VALUE: currency}.get(figure.unit, "")),
            format=_UNIT_FORMATS[figure.unit],
            help=figure.formula,
        )
        for figure in FIGURES
        if figure.unit != "share"
    }
    shares = {
        figure.name: st.column_config.ProgressColumn(
            figure.title, format=_SHARE, min_value=0, max_value=1, help=figure.formula, width=120
        )
        for figure in FIGURES
        if figure.unit == "share"
    }
    return shown | shares | {name: st.column_config.TextColumn(heading(name)) for name in ("floor", "rack_id")}
