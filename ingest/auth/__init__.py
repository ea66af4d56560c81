"""Who is calling: passwords, access tokens and refresh tokens that work once."""
