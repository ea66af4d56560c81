"""Every setting is an environment variable; this table is the only place that knows their names.

docs/settings.md lists the same names, defaults and meanings; a test compares the two.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from stockverify import usable


class Env(NamedTuple):
    """The variable of a field, what it means to the person who sets it, and what it must be beyond its type."""

    name: str
    doc: str
    secret: bool = False
    check: Callable[[str], None] | None = None


Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of all processes, read once at their entry points and passed on from there."""

    mongodb_uri: Annotated[
        str | None,
        Env("MONGODB_URI", "MongoDB replica set to use; without it an embedded one is started", True),
    ] = None
    mongodb_database: Annotated[str, Env("MONGODB_DATABASE", "Name of the MongoDB database")] = "stockverify"
    redis_url: Annotated[
        str | None,
        Env("REDIS_URL", "Redis to use; without it and REDIS_HOST an embedded one is started", True),
    ] = None
    redis_host: Annotated[str | None, Env("REDIS_HOST", "Host of the Redis to use, when REDIS_URL is not set")] = None
    redis_port: Annotated[Port, Env("REDIS_PORT", "Port that goes with REDIS_HOST")] = 6379
    redis_password: Annotated[str | None, Env("REDIS_PASSWORD", "Password that goes with REDIS_HOST", True)] = None
    redis_db: Annotated[int, Env("REDIS_DB", "Database number that goes with REDIS_HOST")] = 0

    data_dir: Annotated[
        Path, Env("STOCKVERIFY_DATA_DIR", "Folder for the lake, exports, logs and embedded servers")
    ] = Path("var")
    api_port: Annotated[Port, Env("STOCKVERIFY_API_PORT", "Port of the HTTP service")] = 8000
    service_processes: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=64)],
        Env("STOCKVERIFY_SERVICE_PROCESSES", "Processes of the HTTP service that `up` runs on that port"),
    ] = 2
    dashboard_port: Annotated[Port, Env("STOCKVERIFY_DASHBOARD_PORT", "Port of the dashboard")] = 8501
    bind: Annotated[str, Env("STOCKVERIFY_BIND", "Address that the service and the dashboard listen on")] = "127.0.0.1"
    api_url: Annotated[
        str | None,
        Env(
            "STOCKVERIFY_API_URL",
            "Where the dashboard reaches the service, if not on this machine",
            check=usable.http_address,
        ),
    ] = None
    secret: Annotated[
        str | None,
        Env(
            "STOCKVERIFY_SECRET",
            "Key that signs tokens, 32 characters or more; without it one is made and kept",
            True,
            usable.key,
        ),
    ] = None
    admin_password: Annotated[
        str | None,
        Env(
            "STOCKVERIFY_ADMIN_PASSWORD",
            "Password of the first user `admin`; random and shown once without it",
            True,
        ),
    ] = None
    log_level: Annotated[str, Env("STOCKVERIFY_LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", check=usable.level)] = (
        "INFO"
    )
    time_zone: Annotated[
        str, Env("STOCKVERIFY_TIME_ZONE", "IANA zone in which pages and files show times", check=usable.zone)
    ] = "UTC"
    currency: Annotated[
        Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{3})?\Z")],
        Env("STOCKVERIFY_CURRENCY", "ISO 4217 code of the currency of all costs and values, such as EUR"),
    ] = ""
    tolerance_units: Annotated[
        Annotated[float, msgspec.Meta(ge=0, le=1e9)],
        Env("TOLERANCE_UNITS", "Units that verified may differ from book before a line counts as inaccurate"),
    ] = 0.0
    tolerance_share: Annotated[
        Annotated[float, msgspec.Meta(ge=0, le=1)],
        Env(
            "TOLERANCE_SHARE",
            "Share of the book quantity that verified may differ, 0.02 for 2 %; the larger of the two counts",
        ),
    ] = 0.0

    access_token_ttl: Annotated[Positive, Env("ACCESS_TOKEN_TTL", "Seconds that an access token lives")] = 900
    refresh_token_ttl: Annotated[
        Positive, Env("REFRESH_TOKEN_TTL", "Seconds that a refresh token lives; it works once")
    ] = 30 * 24 * 3600
    login_max_failures: Annotated[
        Positive, Env("LOGIN_MAX_FAILURES", "Wrong passwords or PINs in a row after which a user name is locked")
    ] = 5
    login_lockout_seconds: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=900)],
        Env("LOGIN_LOCKOUT_SECONDS", "Seconds of the first lock; each further one is twice as long, up to 15 minutes"),
    ] = 30
    require_enrolled_devices: Annotated[
        bool, Env("REQUIRE_ENROLLED_DEVICES", "True: nobody but admins logs in without an enrolled device")
    ] = False
    oidc_issuer: Annotated[
        str | None, Env("OIDC_ISSUER", "Address of an OpenID Connect provider that people may sign in with")
    ] = None
    oidc_client_id: Annotated[str | None, Env("OIDC_CLIENT_ID", "Name under which the provider knows StockVerify")] = (
        None
    )
    oidc_client_secret: Annotated[
        str | None, Env("OIDC_CLIENT_SECRET", "Secret that goes with OIDC_CLIENT_ID; the dashboard needs it", True)
    ] = None
    oidc_name: Annotated[str, Env("OIDC_NAME", "What the sign-in page calls the provider")] = "single sign-on"
    oidc_claim: Annotated[
        Literal["email", "preferred_username"],
        Env("OIDC_CLAIM", "email (a verified one) or preferred_username: by which the provider's people are known"),
    ] = "email"
    oidc_new_users_role: Annotated[
        Literal["staff", "supervisor", "auditor"] | None,
        Env(
            "OIDC_NEW_USERS_ROLE", "Role of those who come by the provider without an account; without it they may not"
        ),
    ] = None
    oidc_new_users_domains: Annotated[
        str | None,
        Env("OIDC_NEW_USERS_DOMAINS", "Domains of their verified e-mails, with commas between; without it any"),
    ] = None
    rate_limit: Annotated[
        NotNegative, Env("RATE_LIMIT_PER_MINUTE", "Requests a minute that one person's device may send; 0 is no limit")
    ] = 6000
    rate_limit_strangers: Annotated[
        NotNegative,
        Env(
            "RATE_LIMIT_STRANGERS_PER_MINUTE", "Logins and enrolments a minute from one network address; 0 is no limit"
        ),
    ] = 3000
    rack_lock_ttl: Annotated[Positive, Env("RACK_LOCK_TTL", "Seconds that a claim lives without a heartbeat")] = 60
    session_lock_ttl: Annotated[
        Positive, Env("SESSION_LOCK_TTL", "Seconds that a paused rack stays reserved for its counter")
    ] = 3600
    heartbeat_ttl: Annotated[Positive, Env("HEARTBEAT_TTL", "Seconds after which a silent person counts as away")] = 90
    sync_batch_size: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=1000)],
        Env("SYNC_BATCH_SIZE", "Records that a device sends in one batch"),
    ] = 100
    sync_max_retries: Annotated[
        Positive, Env("SYNC_MAX_RETRIES", "Refusals of one record after which a device parks it and shows it")
    ] = 5
    breaker_failures: Annotated[
        Positive,
        Env(
            "CIRCUIT_BREAKER_FAILURE_THRESHOLD",
            "Failures in a row after which a backend is left alone for a while",
        ),
    ] = 5
    breaker_timeout: Annotated[
        Positive, Env("CIRCUIT_BREAKER_TIMEOUT", "Seconds after which one probe may try that backend again")
    ] = 30
    snapshot_interval: Annotated[
        Positive, Env("SNAPSHOT_INTERVAL", "Seconds between the snapshots that the worker takes by itself")
    ] = 900
    snapshot_after_records: Annotated[
        NotNegative,
        Env(
            "SNAPSHOT_AFTER_RECORDS",
            "New records after which the worker takes one before its time, a minute apart at least; 0 is never",
        ),
    ] = 10_000
    snapshot_may_fall: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=100)],
        Env("SNAPSHOT_MAY_FALL_PERCENT", "How many percent of the items or sessions a snapshot may lack at once"),
    ] = 20
    keep_hours: Annotated[
        NotNegative, Env("SNAPSHOT_KEEP_HOURS", "For so many hours the last snapshot of each hour is kept")
    ] = 48
    keep_days: Annotated[
        NotNegative, Env("SNAPSHOT_KEEP_DAYS", "For so many days the last snapshot of each day is kept")
    ] = 31
    keep_months: Annotated[
        NotNegative, Env("SNAPSHOT_KEEP_MONTHS", "For so many months the last snapshot of each month is kept")
    ] = 24
    backup_keep_days: Annotated[
        Positive, Env("BACKUP_KEEP_DAYS", "The last backup of each of so many days is kept")
    ] = 7
    backup_keep_weeks: Annotated[
        NotNegative, Env("BACKUP_KEEP_WEEKS", "The last backup of each of so many weeks is kept")
    ] = 4
    stale_after: Annotated[
        Positive,
        Env(
            "STALE_AFTER",
            "Seconds of silence after which the worker takes a rack from its counter and ends the session",
        ),
    ] = 8 * 3600
    anomaly_notice_severity: Annotated[
        Annotated[float, msgspec.Meta(ge=0, le=1)],
        Env("ANOMALY_NOTICE_SEVERITY", "Severity from which admins are told of a new anomaly, each once; 1 is never"),
    ] = 0.9
    schedules_per_person: Annotated[
        Positive, Env("SCHEDULES_PER_PERSON", "Schedules that one person may have; paused ones and drafts count too")
    ] = 100
    export_ttl: Annotated[
        Positive, Env("EXPORT_TTL", "Seconds that a file of an export job and the link to it live")
    ] = 7 * 24 * 3600
    smtp_host: Annotated[
        str | None,
        Env("SMTP_HOST", "Mail server to hand mails to; without one they go to `outbox` in the data directory"),
    ] = None
    smtp_port: Annotated[Port, Env("SMTP_PORT", "Port of the mail server")] = 587
    smtp_security: Annotated[
        Literal["starttls", "tls", "none", "none-anywhere"],
        Env(
            "SMTP_SECURITY",
            "starttls, tls, none (to this machine only) or none-anywhere (over the network in clear, no login)",
        ),
    ] = "starttls"
    smtp_user: Annotated[str | None, Env("SMTP_USER", "Name to log in to the mail server with")] = None
    smtp_password: Annotated[str | None, Env("SMTP_PASSWORD", "Password that goes with SMTP_USER", True)] = None
    smtp_ca_file: Annotated[
        Path | None,
        Env("SMTP_CA_FILE", "Certificates (PEM) to trust for the mail server instead of the usual authorities"),
    ] = None
    mail_from: Annotated[
        str | None, Env("MAIL_FROM", "Sender of mails, `reports@shop.example` or `Stock <reports@shop.example>`")
    ] = None
    mail_allowed_domains: Annotated[
        str | None, Env("MAIL_ALLOWED_DOMAINS", "Domains that mails may go to, with commas between; without it any")
    ] = None
    mail_max_attachment_bytes: Annotated[
        Positive, Env("MAIL_MAX_ATTACHMENT_BYTES", "Bytes of attached files above which a mail has a link instead")
    ] = 10 * 2**20
    mail_max_attempts: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=100)],
        Env("MAIL_MAX_ATTEMPTS", "Attempts, spread over hours, after which a mail that cannot be sent is given up"),
    ] = 12
    mail_keep_days: Annotated[
        Positive, Env("MAIL_KEEP_DAYS", "Days after which mails that were sent or given up are removed from the disk")
    ] = 90
    dashboard_url: Annotated[
        str | None,
        Env(
            "STOCKVERIFY_DASHBOARD_URL",
            "Where readers of mails reach the dashboard, if not on this machine",
            check=usable.http_address,
        ),
    ] = None
    public_api_url: Annotated[
        str | None,
        Env(
            "STOCKVERIFY_PUBLIC_API_URL",
            "Where browsers and readers of mails reach the service, if not on this machine",
            check=usable.http_address,
        ),
    ] = None

    def redis_address(self) -> str | None:
        """REDIS_URL, or one made from REDIS_HOST and its companions, or None when Redis is to be embedded."""
        if self.redis_url or not self.redis_host:
            return self.redis_url
        login = f":{quote(self.redis_password, safe='')}@" if self.redis_password else ""
        return f"redis://{login}{self.redis_host}:{self.redis_port}/{self.redis_db}"

    def service_url(self) -> str:
        """Where clients on this machine reach the HTTP service."""
        return self.api_url or f"http://{self._host()}:{self.api_port}"

    def dashboard_link(self) -> str:
        """Where people reach the dashboard."""
        return (self.dashboard_url or f"http://{self._host()}:{self.dashboard_port}").rstrip("/")

    def api_link(self) -> str:
        """Where people reach the HTTP service."""
        return (self.public_api_url or self.service_url()).rstrip("/")

    def _host(self) -> str:
        return "127.0.0.1" if self.bind in ("0.0.0.0", "::") else self.bind  # noqa: S104

    @property
    def lake(self) -> Path:
        """Root folder of the published snapshots."""
        return self.data_dir / "lake"

    @property
    def metrics(self) -> Path:
        """Folder in which the processes of the service keep what they count."""
        return self.data_dir / "metrics"

    @property
    def exports(self) -> Path:
        """Folder that receives exported files."""
        return self.data_dir / "exports"

    @property
    def mails(self) -> Path:
        """Folder of the letters, as they were written."""
        return self.data_dir / "mails"

    @property
    def outbox(self) -> Path:
        """Folder that receives mails when there is no mail server."""
        return self.data_dir / "outbox"

    @property
    def imports(self) -> Path:
        """Uploaded stock lists, until they are in the book or their time is over."""
        return self.data_dir / "imports"

    @property
    def export_jobs(self) -> Path:
        """Folder of the files that are given out by link; each lies in a folder `{job_id}-{taken_by}`."""
        return self.exports / "jobs"
