"""Batches of counted records: read what is stored, decide, write in one transaction, answer for each record."""
