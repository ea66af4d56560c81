"""Whether what is stored makes sense together: each check reads one thing at one moment, in the order of an index."""
