"""Reports: queries, snapshots, comparisons and runs of the worker."""
