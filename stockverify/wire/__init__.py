"""The shapes that cross the wire, for the service, the device client and the dashboard alike; one module per noun.

Requests are frozen and bounded; unknown fields are ignored, because devices in the field send extras.
Times called `*_at` in racks, sessions and snapshots are Unix seconds; record times are ISO 8601 instants.
"""
