"""The same document for readers of OpenAPI 3.0: Swagger UI 4 does not show 3.1."""

from typing import Any

_NULL = {"type": "null"}


def as_3_0(document: dict[str, Any]) -> dict[str, Any]:
    """What 3.1 says by null types, constants, empty lists and lists of examples, said as 3.0 does."""
    converted: dict[str, Any] = _converted(document)
    return converted | {"openapi": "3.0.3"}


def _converted(value: Any) -> Any:
    if isinstance(value, list):
        return [_converted(each) for each in value]
    if not isinstance(value, dict):
        return value
    return _nullable({key: _converted(each) for key, each in value.items()})


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("required") == []:
        del schema["required"]
    schema.pop("propertyNames", None)  # 3.0 has no words for limits on names
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    if isinstance(examples := schema.get("examples"), list):
        schema = {key: each for key, each in schema.items() if key != "examples"} | {"example": examples[0]}
    if isinstance(kinds := schema.get("type"), list):
        schema |= {"type": next(kind for kind in kinds if kind != "null"), "nullable": "null" in kinds}
    for choice in ("anyOf", "oneOf"):
        kinds = schema.get(choice)
        if isinstance(kinds, list) and _NULL in kinds:
            schema[choice] = [kind for kind in kinds if kind != _NULL]
            schema["nullable"] = True
    return schema
