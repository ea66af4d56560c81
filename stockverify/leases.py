"""What the service and the worker both do to the leases on racks in Redis."""

GIVE_BACK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
"""Ends a lease, if it is held by whoever says so."""
