"""Whether the service and its backends answer."""
