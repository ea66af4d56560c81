"""The words of the prompt."""

import pytest

from stockverify.client.commands import BadCommand, Command, read


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("", None),
        ("   ", None),
        ("racks", Command("racks")),
        ("racks Ground", Command("racks", ("Ground",))),
        ('CLAIM R1 "First floor"', Command("claim", ("R1", "First floor"))),
        ("count ITEM 5", Command("count", (), {"item_code": "ITEM", "verified_qty": 5.0})),
        (
            "count 00123 2.5 damage 1 bin 3 serial S1 serial S2 condition 'torn box'",
            Command(
                "count",
                (),
                {
                    "item_code": "00123",
                    "verified_qty": 2.5,
                    "damage_qty": 1.0,
                    "bin": "3",
                    "serial_numbers": ("S1", "S2"),
                    "item_condition": "torn box",
                },
            ),
        ),
        ("seen ITEM bin 3", Command("count", (), {"item_code": "ITEM", "verified_qty": None, "bin": "3"})),
        ("edit 2 7", Command("edit", ("2",), {"verified_qty": 7.0})),
        ("edit 2 damage 1", Command("edit", ("2",), {"damage_qty": 1.0})),
        ("edit 2 7 damage 0", Command("edit", ("2",), {"verified_qty": 7.0, "damage_qty": 0.0})),
        ("Sync", Command("sync")),
    ],
)
def test_what_a_line_means(line: str, command: Command | None) -> None:
    assert read(line) == command


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("cuont ITEM 5", "I do not understand 'cuont ITEM 5'"),
        ("count ITEM", "I do not understand 'count ITEM'"),
        ("count ITEM 1,5", "'1,5' is no quantity, such as 5 or 2.5"),
        ("count ITEM -1", "'-1' is no quantity"),
        ("count ITEM nan", "'nan' is no quantity"),
        ("count ITEM 5 damage", "'damage' has no value behind it"),
        ("count ITEM 5 colour red", "'colour' is none of: damage, bin, serial, condition"),
        ("count 'ITEM 5", "A quotation mark is missing"),
        ("claim", "I do not understand 'claim'"),
        ("quit now", "I do not understand 'quit now'"),
    ],
)
def test_what_is_not_understood_is_said(line: str, reason: str) -> None:
    with pytest.raises(BadCommand) as caught:
        read(line)
    assert caught.value.message.startswith(reason)
    assert caught.value.message.endswith("; type help for all commands.")
