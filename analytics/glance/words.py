"""Names in words."""

_OWN = {"uom": "Unit of measure", "mrp": "List price", "fence": "Claim number"}
"""Of names that say nothing to whoever has not met them: the same everywhere."""


def heading(name: str) -> str:
    """A column's name in words."""
    first, _, rest = name.partition("_")
    if first in _OWN:
        return " ".join([_OWN[first], *rest.split("_")]).strip()
    words = name.removesuffix("_id").replace("_qty", "").replace("_", " ")
    return words[:1].upper() + words[1:]
