"""The OpenAPI document, complete enough to generate a client, and its page, which works without the Internet."""
