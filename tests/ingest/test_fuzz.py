"""Schemathesis asks whatever the service's own OpenAPI document allows, and what it does not: never a 5xx, and never a
reply that the document does not promise."""

from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ingest import access
from tests.service import Service

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# One ends the login that asks; the others wait for a worker, which does not run here.
LEFT_OUT = {"auth.logout", "reports.create_snapshot", "reports.refresh_snapshot", "reports.compare", "live.updates"}
ASKED = sorted(set(access.OPERATIONS) - LEFT_OUT)
PATIENT = settings(
    deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate], database=None
)
QUICK = settings(PATIENT, max_examples=6, derandomize=True)
LONG = settings(PATIENT, max_examples=75)


@pytest.fixture(scope="session")
def document(service: Service) -> Any:
    """The document as the running service tells it."""
    return schemathesis.openapi.from_url(f"{service.url}/schema/openapi.json")


@pytest.fixture(scope="session")
def headers(service: Service) -> dict[str, str]:
    """An admin of the fuzzer's own."""
    return {"Authorization": service.person("admin").headers["Authorization"]}


def fuzz(document: Any, operation: str, headers: dict[str, str], mode: GenerationMode, how: settings) -> None:
    """Ask one operation again and again, for what the document allows or for what it does not."""

    @how
    @given(case=document.find_operation_by_id(operation).as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS, timeout=30)

    with suppress(Unsatisfiable):  # whatever one sends, the document allows it
        ask()


@pytest.mark.parametrize("operation", ASKED)
def test_every_reply_is_documented_and_none_is_a_5xx(document: Any, operation: str, headers: dict[str, str]) -> None:
    for mode in GenerationMode:
        fuzz(document, operation, headers, mode, QUICK)


@pytest.mark.faults
@pytest.mark.parametrize("operation", ASKED)
def test_the_same_for_long(document: Any, operation: str, headers: dict[str, str]) -> None:
    for mode in GenerationMode:
        fuzz(document, operation, headers, mode, LONG)
