"""Puts the service together."""

from litestar import Litestar
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from ingest.access import guard
from ingest.activity.handlers import ActivityController
from ingest.anomalies.handlers import AnomalyController
from ingest.auth.handlers import AuthController
from ingest.bodies import MAX_DECODED, decoded
from ingest.comparisons.handlers import ComparisonController
from ingest.conflicts.handlers import ConflictController
from ingest.deliveries.handlers import DeliveryController, LetterController
from ingest.devices.handlers import DeviceController
from ingest.documentation import pages
from ingest.exports.handlers import ExportController
from ingest.flags.handlers import FlagController
from ingest.health.handlers import health
from ingest.imports.handlers import ImportController
from ingest.live.handlers import updates
from ingest.live.handshake import refused_politely
from ingest.metrics.handlers import metrics
from ingest.options import told_all_methods
from ingest.outages import guarded
from ingest.problems import to_problem
from ingest.queries.handlers import QueryController
from ingest.racks.handlers import RackController
from ingest.reports.handlers import ReportController
from ingest.requests import identified
from ingest.schedules.handlers import ScheduleController
from ingest.sessions.handlers import SessionController
from ingest.snapshots.handlers import SnapshotController
from ingest.subscriptions.handlers import SubscriptionController
from ingest.sync.handlers import SyncController
from ingest.wiring import Authentication, lifespan, provide_caller, provide_stores
from stockverify.settings import Settings


def create_app(settings: Settings) -> Litestar:
    """The Litestar application; its clients open when it starts."""
    return Litestar(
        route_handlers=[
            AuthController,
            DeviceController,
            RackController,
            SessionController,
            SyncController,
            ConflictController,
            ReportController,
            SnapshotController,
            QueryController,
            ExportController,
            DeliveryController,
            LetterController,
            SubscriptionController,
            ComparisonController,
            ScheduleController,
            ActivityController,
            AnomalyController,
            FlagController,
            ImportController,
            updates,
            health,
            metrics,
            pages.assets(),
        ],
        dependencies={
            "stores": Provide(provide_stores, sync_to_thread=False),
            "caller": Provide(provide_caller, sync_to_thread=False),
        },
        middleware=[told_all_methods, refused_politely, Authentication, decoded, guarded],
        guards=[guard],
        exception_handlers={HTTPException: to_problem, Exception: to_problem},
        lifespan=[lifespan(settings)],
        logging_config=None,
        request_max_body_size=MAX_DECODED,
        openapi_config=pages.config(),
    )


def create_service(settings: Settings) -> ASGIApp:
    """The application behind the layer that names every request."""
    return identified(create_app(settings))
