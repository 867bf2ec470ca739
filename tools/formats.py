"""Writes the formats that the readers declare into the chart's schema and the operators' page: ``make formats``."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from producers.readers.formats import AUTO, on_request, readers

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "sensor-operator.md"
SCHEMA: Final = ROOT / "helm" / "kakehashi" / "values.schema.json"
_BEGIN: Final = "<!-- formats: written by `make formats` from producers/readers -->"
_END: Final = "<!-- end of formats -->"


def page_with_formats(text: str) -> str:
    """The page with the table of formats between its two comments. Raises ValueError if the comments are missing."""
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the page lacks the comments around the formats: {_BEGIN} … {_END}")
    return pattern.sub(lambda _: "\n".join((_BEGIN, *_table(), _END)), text)


def _table() -> Iterator[str]:
    yield "| format | input | left out, counted by rule |"
    yield "|---|---|---|"
    for reader in readers().values():
        rules = "; ".join(f"{pieces} (`{rule}`)" for rule, pieces in reader.leaves_out.items())
        yield f"| `{reader.name}` | {reader.reads} | {rules} |"
    yield ""
    yield "| `--include` | takes, without a confidence |"
    yield "|---|---|"
    for rule, taken in on_request().items():
        yield f"| `{rule}` | {taken} |"


def schema_with_formats(text: str) -> str:
    """The schema of the chart's values, which takes the names of the formats and no other."""
    schema: dict[str, Any] = json.loads(text)
    schema["properties"]["produce"]["properties"]["format"]["enum"] = [AUTO, *readers()]
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page_with_formats(PAGE.read_text("utf-8")), "utf-8")
    SCHEMA.write_text(schema_with_formats(SCHEMA.read_text("utf-8")), "utf-8")
