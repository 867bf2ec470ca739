"""The JSON Schema (2020-12) of what is written as JSON or YAML, for editors and other programs."""

import json

import msgspec


def json_schema_of(shape: type[msgspec.Struct]) -> str:
    """The schema of a struct, as the text of a file."""
    schema = msgspec.json.schema(shape) | {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
