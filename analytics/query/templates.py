"""Reports that most stores ask for: queries to run as they are, or to begin with."""

from msgspec import Struct

from stockverify.datasets import POSITIONS, RECORDS, SESSIONS
from stockverify.vocabulary import RecordStatus
from stockverify.wire.reports import GroupBy, QuerySpec

_COUNTED = {"status": RecordStatus.FINALIZED.value}


class Template(Struct, frozen=True):
    """A query with a title, and the question that it answers. Those on positions need a snapshot."""

    name: str
    title: str
    answers: str
    query_spec: QuerySpec


def templates(zone: str) -> tuple[Template, ...]:
    """All of them; days are those of the zone."""
    return (
        Template(
            "items_by_floor",
            "Items by floor",
            "How many lines and different items does each floor hold, and how many units are in the book and counted?",
            QuerySpec(
                collection=POSITIONS.name,
                group_by=["floor"],
                aggregations={"item_code": ["count", "count_distinct"], "book_qty": "sum", "verified_qty": "sum"},
            ),
        ),
        Template(
            "rack_summary",
            "Rack summary",
            "What does each rack hold, how many of its lines are counted, and how far is it off the book? "
            "The largest loss comes first.",
            QuerySpec(
                collection=POSITIONS.name,
                group_by=["floor", "rack_id"],
                aggregations={
                    "item_code": "count",
                    "verified_qty": ["count", "sum"],
                    "book_qty": "sum",
                    "variance_qty": "sum",
                    "variance_value": "sum",
                },
                sort={"variance_value_sum": 1},
            ),
        ),
        Template(
            "session_performance",
            "Session performance",
            "How many sessions did each counter complete, and how many minutes did they take?",
            QuerySpec(
                collection=SESSIONS.name,
                calculated={"minutes": "(completed_at - started_at) / 60"},
                filters={"completed_at": {"is_null": False}},
                group_by=["username"],
                aggregations={"session_id": "count", "rack_id": "count_distinct", "minutes": ["avg", "max", "sum"]},
                sort={"session_id_count": -1},
            ),
        ),
        Template(
            "daily_verification",
            "Daily verification",
            "How many lines and units were counted on each day, by how many people, in how many racks?",
            QuerySpec(
                collection=RECORDS.name,
                filters=_COUNTED,
                group_by=[GroupBy(field="received_at", by="day", zone=zone)],
                aggregations={
                    "client_record_id": "count",
                    "verified_qty": "sum",
                    "username": "count_distinct",
                    "rack_id": "count_distinct",
                },
                sort={"received_at_day": -1},
            ),
        ),
        Template(
            "variance_by_category",
            "Variance by category",
            "Which categories are furthest off the book, in units and in value? The largest loss comes first.",
            QuerySpec(
                collection=POSITIONS.name,
                filters={"counted": True},
                group_by=["category"],
                aggregations={
                    "item_code": "count",
                    "book_qty": "sum",
                    "verified_qty": "sum",
                    "variance_qty": "sum",
                    "variance_value": "sum",
                },
                sort={"variance_value_sum": 1},
            ),
        ),
        Template(
            "damage_trend",
            "Damage trend",
            "How many damaged units were found in each week and floor, among how many?",
            QuerySpec(
                collection=RECORDS.name,
                filters=_COUNTED,
                group_by=[GroupBy(field="received_at", by="week", zone=zone), "floor"],
                aggregations={"damage_qty": ["sum", "max"], "verified_qty": "sum", "client_record_id": "count"},
                having={"damage_qty_sum": {"gt": 0}},
            ),
        ),
        Template(
            "serial_usage",
            "Serial usage",
            "For which items were serial numbers recorded, and how many different ones for how many units?",
            QuerySpec(
                collection=RECORDS.name,
                filters=_COUNTED,
                group_by=["item_code"],
                aggregations={"serial_numbers": "count_distinct", "verified_qty": "sum", "client_record_id": "count"},
                having={"serial_numbers_count_distinct": {"gt": 0}},
                sort={"serial_numbers_count_distinct": -1},
            ),
        ),
        Template(
            "counter_productivity",
            "Counter productivity",
            "How much did each counter count, in how many sessions and racks, and how much of it needs a closer look?",
            QuerySpec(
                collection=RECORDS.name,
                filters=_COUNTED,
                group_by=["username"],
                aggregations={
                    "client_record_id": "count",
                    "verified_qty": "sum",
                    "damage_qty": "sum",
                    "session_id": "count_distinct",
                    "rack_id": "count_distinct",
                    "item_code": "count_distinct",
                    "received_at": ["min", "max"],
                },
                sort={"client_record_id_count": -1},
            ),
        ),
    )
