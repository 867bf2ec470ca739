"""Saves a terminal's content as an SVG image: self-contained, and correct for characters two cells wide."""

import io
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from rich.cells import cell_len
from rich.console import Console, RenderableType

_SVG: Final = "http://www.w3.org/2000/svg"
# Rich's own, without the font that it would load from the network.
_FORMAT: Final = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans CJK JP", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def save(shown: RenderableType, path: Path, title: str, width: int) -> None:
    """Write it as a terminal of this width shows it."""
    console = Console(record=True, file=io.StringIO(), width=width, force_terminal=True, highlight=False)
    console.print(shown)
    text = console.export_svg(title=title, code_format=_FORMAT, unique_id="demo")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(corrected(text), encoding="utf-8")


def corrected(text: str) -> str:
    """Rich gives each text the length of its characters; one of two cells, as Japanese has them, needs twice that."""
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(text)  # noqa: S314  # what our own console wrote a moment ago
    for element in root.iter(f"{{{_SVG}}}text"):
        words, length = element.text or "", element.get("textLength")
        if length is not None and words:
            element.set("textLength", f"{float(length) / len(words) * cell_len(words):g}")
    return ElementTree.tostring(root, encoding="unicode") + "\n"
