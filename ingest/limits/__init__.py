"""How many requests a device may send."""
