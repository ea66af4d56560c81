"""Reports: what a run of kind `report` works out, when it is worth a mail, and how the mail looks."""
