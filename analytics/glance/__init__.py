"""A snapshot at a glance, in words: what pages and mails say of it, so that both say the same."""
