"""Scopes: people who may see the stock of some floors only."""
