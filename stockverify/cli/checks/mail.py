"""Whether mails would go out as the settings ask, and where to."""

from stockverify import mail_settings
from stockverify.cli.checks.finding import Finding
from stockverify.errors import BadSetting
from stockverify.settings import Settings

_CHECK = "mail"


def mail(settings: Settings) -> Finding:
    """One finding. It connects to nobody: the log of the deliveries says what a mail server says."""
    try:
        mail_settings.check(settings)
    except BadSetting as error:
        return Finding(_CHECK, False, "The settings for mail contradict each other.", error.message)
    if not settings.smtp_host:
        return Finding(_CHECK, True, f"SMTP_HOST is not set: mails are written to {settings.outbox}.")
    server = f"{settings.smtp_host}:{settings.smtp_port} ({settings.smtp_security})"
    return Finding(_CHECK, True, f"Mails go to {server}, from {settings.mail_from}.")
