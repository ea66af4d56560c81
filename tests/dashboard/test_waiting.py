import time

from dashboard.waiting import AWAY_SECONDS, Work, Works


def ended(works: Works, question: str) -> Work:
    """Work that is done, and nobody has said that they have seen it."""
    work = works.work(question, lambda watch: question)
    assert work.outcome.result(30) == question
    return work


def test_what_nobody_comes_back_to_is_forgotten_with_its_outcome() -> None:
    works, now = Works(2), time.monotonic()
    gone, awaited = ended(works, "gone"), ended(works, "awaited")
    gone.look("ann", now - AWAY_SECONDS - 1)
    awaited.look("bob", now + 60)
    assert ended(works, "gone") is not gone
    assert ended(works, "awaited") is awaited
