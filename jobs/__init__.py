"""The worker: takes a snapshot every SNAPSHOT_INTERVAL seconds, and does what others queue in `report_runs`."""
