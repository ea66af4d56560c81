"""Names in words."""


def heading(name: str) -> str:
    """A column's name in words."""
    words = name.removesuffix("_id").replace("_qty", "").replace("_", " ")
    return words[:1].upper() + words[1:]
