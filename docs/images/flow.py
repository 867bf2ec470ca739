"""Draws ``flow.svg``, the way of a record from a sensor to the partner's SOC: ``python docs/images/flow.py``."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WIDTH: Final = 1010
HEIGHT: Final = 464
FILE: Final = Path(__file__).with_suffix(".svg")

_STYLE: Final = """\
  text { font: 13px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; fill: #1f2328; }
  .nation { font-weight: 600; font-size: 15px; }
  .small { font-size: 11.5px; fill: #59636e; }
  .role { font-weight: 600; }
  .page { fill: #ffffff; }
  .panel { fill: #f6f8fa; stroke: #d1d9e0; }
  .topic { fill: #ffffff; stroke: #818b98; }
  .work { fill: #ddf4ff; stroke: #0969da; }
  .border { fill: #fff8c5; stroke: #9a6700; }
  .way { stroke: #59636e; stroke-width: 1.5; fill: none; marker-end: url(#head); }
  .head { fill: #59636e; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .small { fill: #9198a1; }
    .page { fill: #0d1117; }
    .panel { fill: #151b23; stroke: #3d444d; }
    .topic { fill: #0d1117; stroke: #9198a1; }
    .work { fill: #0c2d6b; stroke: #4493f8; }
    .border { fill: #3a2d00; stroke: #d29922; }
    .way { stroke: #9198a1; }
    .head { fill: #9198a1; }
  }"""


@dataclass(frozen=True, slots=True)
class Box:
    """A role, a topic or the border, with its words. Lengths are the picture's own units."""

    x: int
    y: int
    width: int
    title: str
    note: str = ""
    kind: str = "topic"
    height: int = 40

    def drawn(self) -> Iterator[str]:
        """The box and its words, centred."""
        corner = 20 if self.kind == "topic" else 5
        yield (
            f'<rect class="{self.kind}" x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" '
            f'rx="{corner}"/>'
        )
        lines = [line for line in self.note.split("\n") if line]
        centre, first = self.x + self.width // 2, self.y + self.height // 2 + 5 - 8 * len(lines)
        weight = "" if self.kind == "topic" else ' class="role"'
        yield f'<text{weight} x="{centre}" y="{first}" text-anchor="middle">{self.title}</text>'
        for number, line in enumerate(lines, 1):
            yield f'<text class="small" x="{centre}" y="{first + 16 * number}" text-anchor="middle">{line}</text>'


_BOXES: Final = (
    Box(30, 86, 98, "produce", "its own spool", "work", 48),
    Box(152, 90, 126, "sensor.reports"),
    Box(302, 86, 84, "intake", "once each", "work", 48),
    Box(410, 90, 178, "indicator.observations"),
    Box(612, 56, 118, "correlate", "merge · enrich\nclassify · redact", "work", 108),
    Box(776, 46, 200, "indicator.national"),
    Box(776, 96, 200, "decision.audit"),
    Box(776, 146, 200, "indicator.released.JPN"),
    Box(284, 158, 120, "quarantine"),
    Box(776, 224, 200, "bridge", "guard: the bytes decide again", "border", 52),
    Box(776, 338, 200, "inbox.GBR"),
    Box(566, 332, 164, "receive", "guard · newest version", "border", 52),
    Box(340, 338, 180, "partner.GBR.indicator"),
    Box(152, 332, 142, "tail", "the SOC's tools", "work", 52),
    Box(566, 404, 164, "receipt.GBR"),
)

_WAYS: Final = (
    "M128 110H148", "M278 110H298", "M386 110H406", "M588 110H608", "M344 134V154",
    "M730 76H752V66H772", "M730 116H772", "M730 146H752V166H772",
    "M876 186V220", "M876 276V334", "M776 358H734", "M566 358H524", "M340 358H298", "M648 384V400",
)  # fmt: skip


def svg() -> str:
    """The whole picture."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t">',
        '<title id="t">A report of a British sensor is read in, merged, classified and redacted on the British '
        "cluster; the bridge carries what may leave to the Japanese cluster, where it is checked again.</title>",
        f"<style>\n{_STYLE}\n</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="head" d="M0 0L8 4L0 8z"/></marker></defs>',
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<rect class="panel" x="10" y="10" width="{WIDTH - 20}" height="202" rx="8"/>',
        f'<rect class="panel" x="10" y="288" width="{WIDTH - 20}" height="166" rx="8"/>',
        '<text class="nation" x="30" y="38">GBR, on its own Kafka cluster</text>',
        '<text class="small" x="30" y="62">Suricata · STIX 2.1 · MISP · CSV · text lists</text>',
        '<text class="nation" x="30" y="316">JPN, on its own Kafka cluster</text>',
        '<text class="small" x="30" y="240">The same runs from Japan to the United Kingdom.</text>',
        '<text class="small" x="30" y="258">'
        "Every process may be killed at any moment: nothing is lost, nothing comes twice.</text>",
        *(f'<path class="way" d="{way}"/>' for way in _WAYS),
        *(line for box in _BOXES for line in box.drawn()),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(svg(), encoding="utf-8")
