"""Export jobs: files of snapshots that take long, made in the background and fetched by a signed link."""
