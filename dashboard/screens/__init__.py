"""The pages: filters, one cached load, pure views, and drawing."""
