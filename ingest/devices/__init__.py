"""Devices: enrolled with a one-time code, revoked with all their logins."""
