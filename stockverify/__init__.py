"""StockVerify's ground floor: the words, shapes, settings and servers that every storey above shares."""

__version__ = "0.1.0"
