"""What scans have flagged, and what people say about it."""
