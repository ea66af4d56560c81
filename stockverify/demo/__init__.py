"""The demo: a warehouse counted twice by simulated devices with bad networks, and books that must balance."""
