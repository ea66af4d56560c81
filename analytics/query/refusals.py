"""Why a query is refused. Every refusal names what is wrong and what there is instead."""

from stockverify.errors import BadInput


class UnknownCollection(BadInput):
    """There is no collection {name!r}; use one of: {known}."""


class UnknownField(BadInput):
    """{name!r} in {place} is not a field of {dataset}; it has: {known}."""


class UnknownOperator(BadInput):
    """{name!r} in the filter on {field!r} is not an operator; use one of: {known}."""


class UnknownFunction(BadInput):
    """{name!r} for {field!r} is not an aggregation; use one of: {known}."""


class UnknownPeriod(BadInput):
    """{name!r} in group_by for {field!r} is not a period; use one of: {known}."""


class UnknownZoneOfGroup(BadInput):
    """{zone!r} in group_by for {field!r} is not a time zone; use an IANA name such as Europe/Vienna, or UTC."""


class UnfitField(BadInput):
    """{place} cannot use {name!r}, which is of type {type}: {reason}"""


class TwoOfOneName(BadInput):
    """Two columns of the result would be called {name!r}; leave one out, or name the calculated field differently."""


class BadSpec(BadInput):
    """{reason}"""
