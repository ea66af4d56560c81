"""The shelves of the demo are the same for the same seed, and keep the rules of counting."""

from stockverify.demo.shelves import Line, Shelves


def lines(count: int = 400) -> list[Line]:
    return [
        Line("Ground", f"R{n % 20}", str(n % 5), f"I{n}", "EA", "Tools", 250.0 if n % 9 == 0 else 3.0, float(n % 60))
        for n in range(count)
    ]


def read(seed: int, counting_round: int) -> list[object]:
    shelves = Shelves(lines(), seed)
    return [shelves.readings(rack_id, counting_round) for rack_id in sorted(shelves.racks)]


def test_the_same_seed_gives_the_same_readings() -> None:
    assert read(1, 1) == read(1, 1)
    assert read(1, 1) != read(2, 1)


def test_quantities_are_possible() -> None:
    shelves = Shelves(lines(), 1)
    for counting_round in (1, 2):
        for rack_id in shelves.racks:
            for reading in shelves.readings(rack_id, counting_round):
                assert 0 <= reading.damaged <= reading.verified
                assert len(set(reading.serials)) == len(reading.serials)


def test_the_first_round_slips_and_the_second_does_not() -> None:
    shelves = Shelves(lines(), 1)
    first = sum(len(shelves.readings(rack_id, 1)) for rack_id in shelves.racks)
    second = [reading for rack_id in shelves.racks for reading in shelves.readings(rack_id, 2)]
    assert first < len(lines()) == len(second)


def test_the_worst_racks_are_a_share_of_all() -> None:
    assert len(Shelves(lines(), 1).worst(0.35)) == 7


def test_half_of_a_large_line_is_overlooked_in_the_first_round_of_the_worst_racks() -> None:
    many = [line._replace(book_qty=800.0 + number) for number, line in enumerate(lines(20))]
    shelves = Shelves([*many, *lines()], 1)
    halved = 0
    for rack_id in shelves.worst(1.0):
        for first in shelves.readings(rack_id, 1):
            (second,) = [each for each in shelves.readings(rack_id, 2) if each.line == first.line]
            if first.verified == second.verified // 2 >= 300:
                halved += 1
    assert 1 <= halved <= 3
