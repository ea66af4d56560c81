"""The read side: freezes what was counted into a lake of Parquet files, and queries, compares, draws and exports it."""
