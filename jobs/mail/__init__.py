"""Mails: letters as they were written, the outbox that says what became of each, and the ways to send them."""
