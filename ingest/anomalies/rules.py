"""Pure decisions about anomalies: which kinds are asked for."""


def kinds_asked(kind: str | None) -> list[str]:
    """The names in `a,b`; none stands for all."""
    return [name.strip() for name in (kind or "").split(",") if name.strip()]
