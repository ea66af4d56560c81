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
