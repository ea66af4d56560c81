"""What is odd in a snapshot."""
