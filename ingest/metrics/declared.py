"""Every metric of the service. docs/metrics.md lists the same names and meanings; a test compares the two.

Labels hold few values only: operations, outcomes, backends; never a person, a device, a rack or an id.
Gauges are written by each process for itself; `livesum` adds up the processes that run, `livemax` takes the worst.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

LATENCIES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 10, 50, 100, 250, 500, 1000)
QUEUED = (0, 1, 10, 100, 500, 1000, 5000, 10_000)
AGES = (1, 10, 60, 300, 1800, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600)

REQUEST_SECONDS = Histogram(
    "stockverify_request_seconds",
    "Time from the first byte of a request to the end of its reply, by operation, method and class of status",
    ("operation", "method", "status"),
    buckets=LATENCIES,
    registry=REGISTRY,
)
REQUESTS_IN_FLIGHT = Gauge(
    "stockverify_requests_in_flight",
    "Requests that are being answered at this moment",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
REQUESTS_LIMITED = Counter(
    "stockverify_requests_limited_total",
    "Requests answered with 429: too many from one device, or a login that is locked for a while",
    registry=REGISTRY,
)
LOGINS_REFUSED = Counter(
    "stockverify_logins_refused_total",
    "Logins, by password, PIN or provider, and refreshes that were refused, by class of status",
    ("status",),
    registry=REGISTRY,
)
BATCH_RECORDS = Histogram(
    "stockverify_batch_records",
    "Records in each sync batch that was answered",
    buckets=SIZES,
    registry=REGISTRY,
)
RECORDS = Counter(
    "stockverify_records_total",
    "Records answered, by outcome: ok, a type of conflict, or a type of error; a replay counts again",
    ("outcome",),
    registry=REGISTRY,
)
LEASES = Counter(
    "stockverify_leases_total",
    "What happened to leases on racks: granted, renewed, taken_back, lost, taken_over, released, force_released",
    ("event",),
    registry=REGISTRY,
)
TRANSACTIONS_RETRIED = Counter(
    "stockverify_transactions_retried_total",
    "Transactions that were run again because somebody else was faster",
    registry=REGISTRY,
)
BREAKER_STATE = Gauge(
    "stockverify_breaker_state",
    "Circuit breaker of a backend: 0 closed, 1 half-open, 2 open; the worst of all processes",
    ("backend",),
    multiprocess_mode="livemax",
    registry=REGISTRY,
)
DEVICE_QUEUE_RECORDS = Histogram(
    "stockverify_device_queue_records",
    "Unsent records in the queue of a device, as it reports them with heartbeats and batches",
    buckets=QUEUED,
    registry=REGISTRY,
)
DEVICE_QUEUE_AGE_SECONDS = Histogram(
    "stockverify_device_queue_age_seconds",
    "Age of the oldest unsent record of a device, as it reports it with heartbeats and batches",
    buckets=AGES,
    registry=REGISTRY,
)
WEBSOCKET_CLIENTS = Gauge(
    "stockverify_websocket_clients",
    "Clients that listen to live updates at this moment",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
WEBSOCKETS_ENDED = Counter(
    "stockverify_websockets_ended_total",
    "Live connections that ended, by reason: client_left, too_slow, login_ended",
    ("reason",),
    registry=REGISTRY,
)
LIVE_MESSAGES = Counter(
    "stockverify_live_messages_total",
    "Live messages, by fate: published, received, unpublished (Redis was away), unreadable (not of our form)",
    ("fate",),
    registry=REGISTRY,
)
LIVE_CONNECTED = Gauge(
    "stockverify_live_connected",
    "Processes that are subscribed to the channels of live updates in Redis",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)

MAILS_WAITING = "stockverify_mails_waiting"
MAILS_WAITING_MEANING = "Mails that wait to be sent or sent again, however old; absent while MongoDB is away"
MAILS_OF_LAST_DAY = "stockverify_mails_of_last_day"
MAILS_OF_LAST_DAY_MEANING = "Mails written in the last 24 hours, by state; absent while MongoDB is away"
"""Counted in MongoDB when the metrics are read: the worker, which sends them, answers no requests."""
LIVE_DEVICES = "stockverify_live_devices"
LIVE_DEVICES_MEANING = "Devices heard from within HEARTBEAT_TTL; absent while Redis is away"
"""Not counted by the processes but asked of Redis when the metrics are read."""
