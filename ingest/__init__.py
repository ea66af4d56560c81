"""The HTTP service: one folder per noun, each with handlers (HTTP), rules (pure decisions) and store (databases)."""
