"""Structured logs: one JSON object per line on standard output. What is logged is chosen field by field, never whole
headers, bodies or settings, so that no secret gets in."""

import logging
import sys

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor


def configure(level: str) -> None:
    """Set up logging for a process, also for the libraries in it; called once at its entry point."""
    level_number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered: list[Processor] = [
        # Without local variables: they may hold passwords, tokens and addresses of databases.
        structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level_number),
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                *shared,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.PositionalArgumentsFormatter(),
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    # Libraries never log at DEBUG: MongoDB's driver would log what is written, the WebSocket server every header.
    logging.basicConfig(level=max(level_number, logging.INFO), handlers=[handler])
    logging.captureWarnings(True)
