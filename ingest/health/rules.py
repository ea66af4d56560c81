"""What the state of the backends means for the service."""


def judge(services: dict[str, str]) -> str:
    """Without MongoDB nothing can be kept: unhealthy. Without Redis nobody can claim, but sync goes on: degraded."""
    if services["mongodb"] != "up":
        return "unhealthy"
    return "healthy" if services["redis"] == "up" else "degraded"
