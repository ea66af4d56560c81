"""The audit log: who did what, append-only, chained by hashes."""
