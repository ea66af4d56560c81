"""What became of the mails, and the letters themselves."""
