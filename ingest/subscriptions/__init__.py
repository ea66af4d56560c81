"""Recipients who want no more mails of a schedule, and those who want them again. They need no login."""
