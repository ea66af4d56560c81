"""Structured logs: one JSON object per line on standard output. What is logged is chosen field by field, never whole
headers, bodies or settings, so that no secret gets in."""

import logging

import structlog
from structlog.tracebacks import ExceptionDictTransformer


def configure(level: str) -> None:
    """Set up logging for a process; called once at its entry point."""
    logging.basicConfig(level=level, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without local variables: they may hold passwords, tokens and addresses of databases.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping().get(level.upper(), 20)),
    )
