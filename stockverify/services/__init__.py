"""The processes that make up a running StockVerify: real servers and our own, started, watched and stopped."""
