"""An ERP's stock list on its way into the book: read the file, find its columns, check its rows, plan, store."""
