from jen1cli.progress import part_of


def test_a_part_reports_to_the_whole():
    seen = []
    second = part_of(lambda *counts: seen.append(counts), 1, 4, 2)  # items 1 and 2 of four
    second(3, 5)
    second(5, 5)
    assert seen == [(11, 20), (15, 20)]
    assert part_of(None, 1, 4) is None
