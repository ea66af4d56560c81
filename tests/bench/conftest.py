"""Benchmarks print ratios to a raw limit measured in the same run; they never decide whether a test passes."""

from collections.abc import Iterator

import msgspec
import pytest

from stockverify.services.embedded import Backends
from tests.service import Service, running_service

PROCESSES = 2


@pytest.fixture(scope="session")
def pair(embedded: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service in two processes, with a database of its own that nothing profiles."""
    settings = msgspec.structs.replace(
        embedded.settings,
        mongodb_database="bench_service",
        data_dir=tmp_path_factory.mktemp("bench"),
        rate_limit=1_000_000,  # counted all the same
    )
    with running_service(settings, processes=PROCESSES) as service:
        yield service
