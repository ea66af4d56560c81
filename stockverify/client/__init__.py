"""The device client: counts offline, keeps every count in a file, and brings each to the service exactly once.

`device.Device` ties the parts together; the parts (queue, api, sync, heartbeat) can be used by themselves.
"""
