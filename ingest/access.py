"""Who may call what: one row for each operation. A route without a row is refused, and a test walks all routes."""

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

from ingest.auth.rules import Caller
from ingest.scopes.rules import check_operation
from stockverify.errors import Forbidden
from stockverify.vocabulary import Role

PUBLIC: frozenset[Role] = frozenset()
ALL = frozenset(Role)
COUNTS = frozenset({Role.STAFF, Role.SUPERVISOR, Role.ADMIN})
SETTLES = frozenset({Role.SUPERVISOR, Role.ADMIN})
MANAGES = frozenset({Role.ADMIN})
AUDITS = frozenset({Role.ADMIN, Role.AUDITOR})
READS_REPORTS = frozenset({Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR})

LIMITED = frozenset({"auth.login", "auth.login_pin", "auth.refresh", "devices.enroll", "exports.file"}) | {
    "auth.oidc",
    "exports.about_file",
    "subscriptions.page",
    "subscriptions.stop",
    "subscriptions.resume",
}
"""Public operations that are limited by network address."""

OPERATIONS: dict[str, frozenset[Role]] = {
    "auth.login": PUBLIC,
    "auth.login_pin": PUBLIC,
    "auth.oidc": PUBLIC,
    "auth.refresh": PUBLIC,
    "auth.logout": ALL,
    "auth.me": ALL,
    "auth.register": MANAGES,
    "auth.users": AUDITS,
    "auth.change_user": MANAGES,
    "devices.invite": MANAGES,
    "devices.enroll": PUBLIC,
    "devices.list": AUDITS,
    "devices.revoke": MANAGES,
    "health": PUBLIC,
    "metrics": PUBLIC,
    "live.updates": ALL,
    "racks.list": READS_REPORTS,
    "racks.available": ALL,
    "racks.floors": ALL,
    "racks.mine": ALL,
    "racks.status": ALL,
    "racks.claim": COUNTS,
    "racks.release": COUNTS,
    "racks.pause": COUNTS,
    "racks.resume": COUNTS,
    "racks.force_release": SETTLES,
    "racks.reverify": SETTLES,
    "sessions.active": ALL,
    "sessions.history": ALL,
    "sessions.list": ALL,
    "sessions.presence": ALL,
    "sessions.one": ALL,
    "sessions.stats": ALL,
    "sessions.open": COUNTS,
    "sessions.heartbeat": COUNTS,
    "sessions.complete": COUNTS,
    "sessions.set_status": COUNTS,
    "sync.batch": COUNTS,
    "sync.heartbeat": COUNTS,
    "conflicts.list": ALL,
    "conflicts.stats": ALL,
    "conflicts.one": ALL,
    "conflicts.resolve": SETTLES,
    "conflicts.batch_resolve": SETTLES,
    "sync.receipts": ALL,
    "activity.list": AUDITS,
    "activity.chain": AUDITS,
    "anomalies.list": READS_REPORTS,
    "flags.list": READS_REPORTS,
    "flags.one": READS_REPORTS,
    "flags.dismiss": SETTLES,
    "flags.restore": SETTLES,
    "flags.recount": SETTLES,
    "imports.upload": SETTLES,
    "imports.list": READS_REPORTS,
    "imports.one": READS_REPORTS,
    "imports.check": SETTLES,
    "imports.rejects": READS_REPORTS,
    "imports.commit": SETTLES,
    "imports.discard": SETTLES,
    "queries.templates": READS_REPORTS,
    "queries.save": SETTLES,
    "queries.list": READS_REPORTS,
    "queries.one": READS_REPORTS,
    "queries.delete": SETTLES,
    "reports.preview": READS_REPORTS,
    "reports.create_snapshot": SETTLES,
    "reports.snapshots": READS_REPORTS,
    "reports.snapshot": READS_REPORTS,
    "reports.lineage": READS_REPORTS,
    "reports.delete_snapshot": SETTLES,
    "reports.refresh_snapshot": SETTLES,
    "reports.pin": SETTLES,
    "reports.unpin": SETTLES,
    "reports.export_snapshot": READS_REPORTS,
    "reports.compare": SETTLES,
    "reports.cancel_comparison": SETTLES,
    "reports.comparison": READS_REPORTS,
    "reports.comparisons": READS_REPORTS,
    "reports.comparison_rows": READS_REPORTS,
    "reports.comparison_contributions": READS_REPORTS,
    "reports.export_comparison": READS_REPORTS,
    "reports.collections": READS_REPORTS,
    "exports.create": READS_REPORTS,
    "exports.list": READS_REPORTS,
    "exports.one": READS_REPORTS,
    "exports.manifest": READS_REPORTS,
    "exports.cancel": READS_REPORTS,
    "exports.file": PUBLIC,
    "exports.about_file": PUBLIC,
    "schedules.create": SETTLES,
    "schedules.list": READS_REPORTS,
    "schedules.next": READS_REPORTS,
    "schedules.one": READS_REPORTS,
    "schedules.change": SETTLES,
    "schedules.delete": SETTLES,
    "schedules.pause": SETTLES,
    "schedules.resume": SETTLES,
    "schedules.run": SETTLES,
    "schedules.test": SETTLES,
    "schedules.preview": SETTLES,
    "schedules.runs": READS_REPORTS,
    "schedules.letter": READS_REPORTS,
    "deliveries.list": READS_REPORTS,
    "deliveries.one": READS_REPORTS,
    "deliveries.html": READS_REPORTS,
    "deliveries.text": READS_REPORTS,
    "deliveries.file": READS_REPORTS,
    "deliveries.retry": SETTLES,
    "deliveries.cancel": SETTLES,
    "letters.html": READS_REPORTS,
    "letters.text": READS_REPORTS,
    "subscriptions.page": PUBLIC,
    "subscriptions.stop": PUBLIC,
    "subscriptions.resume": PUBLIC,
    "reports.request_run": SETTLES,
    "reports.run": READS_REPORTS,
    "reports.runs": READS_REPORTS,
}


class NotAllowed(Forbidden):
    """The role {role} may not do this; it needs one of: {needed}."""


class NoAccessRule(Forbidden):
    """The operation {operation} has no access rule, so nobody may call it."""


def is_public(scope: Scope, operation: str | None) -> bool:
    """Whether a request needs no token: a public operation, or the pages that document all of them."""
    return OPERATIONS.get(operation or "") == PUBLIC or _is_documentation(scope)


def _is_documentation(scope: Scope) -> bool:
    return scope["path"] == "/schema" or scope["path"].startswith("/schema/")


async def guard(connection: ASGIConnection, handler: BaseRouteHandler) -> None:
    """Refuse callers whose role has no place in the operation's row. It waits for nothing; but Litestar runs what is
    not async in a thread, and handing each request there and back took 6% of the cost of a small one."""
    operation = handler.name or ""
    if connection.scope.get("method") == "OPTIONS":
        return  # it tells the methods of a path and nothing else
    if is_public(connection.scope, operation):
        return
    if operation not in OPERATIONS:
        raise NoAccessRule(operation=operation)
    allowed = OPERATIONS[operation]
    caller: Caller = connection.user
    if caller.role not in allowed:
        raise NotAllowed(role=caller.role, needed=", ".join(sorted(allowed)))
    check_operation(operation, caller)
