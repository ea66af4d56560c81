"""What expressions mean, and what is refused."""

from typing import Any

import pytest

from analytics.query import checked
from analytics.query.calculated.model import Op, Syntax
from analytics.query.calculated.syntax import MAX_DEPTH, parsed
from stockverify.errors import BadInput
from stockverify.wire.reports import QuerySpec

ONE, TWO, A = Syntax(Op.LITERAL, value=1.0), Syntax(Op.LITERAL, value=2.0), Syntax(Op.NAME, value="a")


def op(kind: Op, *operands: Syntax) -> Syntax:
    return Syntax(kind, operands)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        (" 1 ", ONE),
        ("1.5e3", Syntax(Op.LITERAL, value=1500.0)),
        ("a", A),
        ("true", Syntax(Op.LITERAL, value=True)),
        ("truer", Syntax(Op.NAME, value="truer")),
        ("'it''s \"'", Syntax(Op.LITERAL, value="it's \"")),
        ('"a""b"', Syntax(Op.LITERAL, value='a"b')),
        ("'and'", Syntax(Op.LITERAL, value="and")),
        ("1 - 2 - a", op(Op.SUBTRACT, op(Op.SUBTRACT, ONE, TWO), A)),
        ("1 - (2 - a)", op(Op.SUBTRACT, ONE, op(Op.SUBTRACT, TWO, A))),
        ("1 + 2 * a", op(Op.ADD, ONE, op(Op.MULTIPLY, TWO, A))),
        ("-a * 2", op(Op.MULTIPLY, op(Op.NEGATE, A), TWO)),
        ("1--2", op(Op.SUBTRACT, ONE, op(Op.NEGATE, TWO))),
        ("1 + 2 < a / 2", op(Op.LT, op(Op.ADD, ONE, TWO), op(Op.DIVIDE, A, TWO))),
        ("1 = a", op(Op.EQ, ONE, A)),
        ("1 == a", op(Op.EQ, ONE, A)),
        ("1!=a", op(Op.NE, ONE, A)),
        ("1<=a", op(Op.LTE, ONE, A)),
        ("not a = 1", op(Op.NOT, op(Op.EQ, A, ONE))),
        ("a or a and not a", op(Op.OR, A, op(Op.AND, A, op(Op.NOT, A)))),
        ("a and a and a", op(Op.AND, A, A, A)),
    ],
)
def test_how_expressions_are_read(text: str, tree: Syntax) -> None:
    assert parsed("x", text) == tree


def refusal(texts: dict[str, str], **fields: Any) -> str:
    with pytest.raises(BadInput) as caught:
        checked(QuerySpec(collection="records", calculated=texts, **fields))
    return caught.value.message


UNREADABLE = {
    "": "it ends at character 1, where a number, a quoted text, a field or '(' was expected",
    "1 +": "it ends at character 4, where a number",
    "1 2": "'2' stands at character 3, where an operator or the end was expected",
    "(1": "it ends at character 3, where ')' was expected",
    "1)": "')' stands at character 2, where an operator",
    "1 < 2 < 3": "'<' stands at character 7, where an operator",
    "abs(mrp)": "'(' stands at character 4, where an operator",
    "mrp.__class__": "nothing begins with '.__class__' at character 4",
    "mrp ** 2": "'*' stands at character 6",
    "mrp[0]": "nothing begins with '[0]' at character 4",
    "$mrp": "nothing begins with '$mrp' at character 1",
    "'open": 'nothing begins with "\'open" at character 1',
    "1x": "nothing begins with '1x'",
    "1.2.3": "nothing begins with '1.2.3'",
    "mrp; DROP TABLE": "nothing begins with '; DROP TABLE' at character 4",
    "lambda: 1": "nothing begins with ': 1'",
    "null": "'null' stands at character 1",
    "mrp + and": "'and' stands at character 7",
    "1e400": "a number in it is too big",
    "'text'": "it gives a text; a calculated field gives a number, or true or false",
    "received_at": "it gives an instant",
    "received_at > 'soon'": "'soon' is compared with an instant and is no ISO 8601 time",
    "1" * 1001: "it has 1001 characters; at most 1000 are allowed",
    "(" * 400 + "1" + ")" * 400: f"it goes deeper than {MAX_DEPTH} levels",
    "-" * 999 + "1": f"it goes deeper than {MAX_DEPTH} levels",
    "not " * 200 + "true": f"it goes deeper than {MAX_DEPTH} levels",
    "1" + "+1" * 400: f"it goes deeper than {MAX_DEPTH} levels",
}


@pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: text[:20])
def test_what_cannot_be_read(text: str) -> None:
    message = refusal({"x": text})
    assert message.startswith("The calculated field 'x' cannot be read: ")
    assert UNREADABLE[text] in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mrp + floor", "The calculated field 'x' has a text where '+' needs a number."),
        ("-unknown_item", "The calculated field 'x' has true or false where 'negative' needs a number."),
        ("mrp and true", "The calculated field 'x' has a number where 'and' needs true or false."),
        ("mrp = floor", "The calculated field 'x' has a text where '=' needs a number."),
        ("(mrp > 1) > 0", "The calculated field 'x' has a number where '>' needs true or false."),
        ("true < false", "The calculated field 'x' has true or false where '<' needs what has an order."),
        ("received_at + received_at", "The calculated field 'x' has an instant where '+' needs a number."),
        ("received_at > 1", "The calculated field 'x' has a number where '>' needs an instant."),
        ("serial_numbers = 'a'", "The calculated field 'x' cannot use 'serial_numbers', which is of type strings"),
        ("password + 1", "'password' in the calculated field 'x' is not a field of verification_records; it has:"),
    ],
)
def test_what_makes_no_sense(text: str, message: str) -> None:
    assert message in refusal({"x": text})


def test_circles_are_named() -> None:
    circle = "The calculated fields refer to each other in a circle: "
    assert refusal({"a": "a + 1"}) == f"{circle}a -> a."
    assert refusal({"z": "a", "a": "b + 1", "b": "c", "c": "a"}) == f"{circle}a -> b -> c -> a."


def test_growth_is_bounded_before_anything_is_made_of_it() -> None:
    doubled = {"f0": "mrp + mrp"} | {f"f{n}": f"f{n - 1} + f{n - 1}" for n in range(1, 20)}
    assert "'f8' cannot be read: with the fields it uses it has more than 1000 parts." in refusal(doubled)
    assert "calculated has 21 fields; at most 20" in refusal({f"f{n}": "1" for n in range(21)})


@pytest.mark.parametrize("name", ["", "a b", "a" * 65, "1a", "and", "_id", "é", "$a", "a.b", "x; DROP"])
def test_names_that_cannot_be_used(name: str) -> None:
    assert "a name has letters, digits and _, at most 64 in all" in refusal({name: "1"})


def test_one_name_for_two_things() -> None:
    assert "Two columns of the result would be called 'MRP'" in refusal({"MRP": "1"})
    assert "Two columns of the result would be called 'b'" in refusal({"B": "1", "b": "2"})
    both = {"group_by": ["x_sum"], "aggregations": {"x": "sum"}}
    assert "Two columns of the result would be called 'x_sum'" in refusal({"x": "1", "x_sum": "2"}, **both)


def test_fields_may_be_given_in_any_order() -> None:
    query = checked(QuerySpec(collection="records", calculated={"b": "a > 2", "a": "mrp * 2"}))
    assert [(field.name, field.type.value, field.text) for field in query.calculated] == [
        ("a", "float", "mrp * 2"),
        ("b", "boolean", "a > 2"),
    ]


@pytest.mark.parametrize(
    ("text", "is_amount"),
    [
        ("verified_qty", True),
        ("-(verified_qty - damage_qty)", True),
        ("(verified_qty - book_qty) * unit_cost", True),
        ("0.5 * verified_qty", True),
        ("variance_value / unit_cost", True),
        ("book_qty / 12 + damage_qty", True),
        ("damage_qty / verified_qty", False),
        ("damage_qty / verified_qty * verified_qty", True),
        ("verified_qty * book_qty", False),
        ("verified_qty * book_qty * unit_cost", False),
        ("verified_qty + 1", False),
        ("unit_cost", False),
        ("unit_cost * 2 + 1", False),
        ("1", False),
        ("1 / verified_qty", False),
        ("round", False),
        ("verified_qty > 1", False),
        ("other", True),
        ("share", False),
        ("other * share", True),
    ],
)
def test_what_adds_up(text: str, is_amount: bool) -> None:
    known = {"other": "verified_qty * 2", "share": "damage_qty / verified_qty", "x": text}
    query = checked(QuerySpec(collection="positions", calculated=known))
    assert ("x" in query.adding, "share" in query.adding, "other" in query.adding) == (is_amount, False, True)


def test_seconds_add_up_and_instants_do_not() -> None:
    spec = QuerySpec(
        collection="sessions",
        calculated={"minutes": "(completed_at - started_at) / 60", "late": "started_at > '2026-01-01T00:00:00Z'"},
    )
    assert checked(spec).adding == ("minutes",)
