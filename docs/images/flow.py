"""Draws ``flow.svg``, the path of a record from a sensor to the partner's SOC: ``python docs/images/flow.py``.

Every box that is not a topic names the folder that holds its code; ``tests/docs`` checks that the folders exist.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WIDTH: Final = 1080
HEIGHT: Final = 606
FILE: Final = Path(__file__).with_suffix(".svg")

_STYLE: Final = """\
  text { font: 13px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; fill: #1f2328; }
  .nation { font-weight: 600; font-size: 15px; }
  .small { font-size: 11.5px; fill: #59636e; }
  .folder { font: 11.5px ui-monospace, "DejaVu Sans Mono", monospace; fill: #0550ae; }
  .role { font-weight: 600; }
  .page { fill: #ffffff; }
  .panel { fill: #f6f8fa; stroke: #d1d9e0; }
  .topic { fill: #ffffff; stroke: #818b98; }
  .work { fill: #ddf4ff; stroke: #0969da; }
  .border { fill: #fff8c5; stroke: #9a6700; }
  .way { stroke: #59636e; stroke-width: 1.5; fill: none; marker-end: url(#head); }
  .home { stroke-dasharray: 5 4; }
  .head { fill: #59636e; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .small { fill: #9198a1; }
    .folder { fill: #79c0ff; }
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
    """A role, a topic or the border. ``note`` and ``folders`` are lines of text. Lengths are picture units."""

    x: int
    y: int
    width: int
    title: str
    note: str = ""
    folders: str = ""
    kind: str = "topic"
    height: int = 40

    def drawn(self) -> Iterator[str]:
        """The box and its text, centred."""
        corner = 20 if self.kind == "topic" else 5
        yield (
            f'<rect class="{self.kind}" x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" '
            f'rx="{corner}"/>'
        )
        lines = [("small", line) for line in self.note.splitlines()]
        lines += [("folder", line) for line in self.folders.splitlines()]
        centre, first = self.x + self.width // 2, self.y + self.height // 2 + 5 - 8 * len(lines)
        weight = "" if self.kind == "topic" else ' class="role"'
        yield f'<text{weight} x="{centre}" y="{first}" text-anchor="middle">{self.title}</text>'
        for number, (style, line) in enumerate(lines, 1):
            yield f'<text class="{style}" x="{centre}" y="{first + 16 * number}" text-anchor="middle">{line}</text>'


BOXES: Final = (
    Box(30, 84, 116, "produce", "reads, spools", "producers", "work", 64),
    Box(170, 96, 120, "sensor.reports"),
    Box(314, 84, 120, "intake", "counts once", "streams/intake", "work", 64),
    Box(458, 96, 170, "indicator.observations"),
    Box(
        652,
        32,
        150,
        "correlate",
        "merge · enrich\nclassify · redact",
        "streams/correlate\nstreams/enrichment\nstreams/rules\nstreams/audit",
        "work",
        132,
    ),
    Box(846, 32, 204, "indicator.national"),
    Box(846, 82, 204, "decision.audit"),
    Box(846, 132, 204, "indicator.released.JPN"),
    Box(314, 184, 120, "quarantine"),
    Box(458, 180, 170, "desk", "officers' commands", "consumers/desk", "work", 64),
    Box(652, 180, 150, "settle", "answered, or late", "streams/settle", "work", 64),
    Box(458, 272, 170, "reconcile", "compares both sides", "consumers/reconcile", "work", 64),
    Box(652, 272, 150, "bridge", "JPN to GBR", "consumers/bridge", "border", 64),
    Box(846, 272, 204, "bridge", "GBR to JPN · guard", "consumers/bridge", "border", 64),
    Box(846, 408, 204, "inbox.GBR"),
    Box(632, 396, 170, "receive", "guard · newest version", "streams/receive", "border", 64),
    Box(376, 408, 194, "partner.GBR.indicator"),
    Box(170, 396, 150, "tail", "the SOC's view", "consumers/queries", "work", 64),
    Box(632, 494, 170, "receipt.GBR"),
)

_WAYS: Final = (
    "M146 116H166", "M290 116H310", "M434 116H454", "M628 116H648", "M374 148V180",
    "M802 52H842", "M802 102H842", "M802 152H842", "M628 212H640V140H648", "M846 162H824V212H806",
    "M948 172V268", "M948 336V404", "M846 428H806", "M632 428H574", "M376 428H324", "M717 460V490",
)  # fmt: skip
_WAYS_HOME: Final = ("M632 514H600V366H727V340", "M727 272V248", "M543 272V258", "M543 336V350")


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
        f'<rect class="panel" x="10" y="10" width="{WIDTH - 20}" height="244" rx="8"/>',
        f'<rect class="panel" x="10" y="354" width="{WIDTH - 20}" height="196" rx="8"/>',
        '<text class="nation" x="30" y="38">GBR, on its own Kafka cluster</text>',
        '<text class="small" x="30" y="62">Suricata · STIX 2.1 · MISP · CSV · text lists</text>',
        '<text class="nation" x="30" y="382">JPN, on its own Kafka cluster</text>',
        '<text class="small" x="30" y="288">The same runs from Japan to the United Kingdom.</text>',
        '<text class="small" x="30" y="306">Every process may be killed at any moment:</text>',
        '<text class="small" x="30" y="324">nothing is lost, nothing is counted twice.</text>',
        '<text class="small" x="30" y="574">Blue text is the folder that holds a box’s code. Rounded boxes are topics.'
        " Dashed: receipts return, and both sides are compared.</text>",
        '<text class="small" x="30" y="592">Processes: kakehashi produce runs producers, kakehashi streams runs the'
        " steps in streams, kakehashi bridge runs consumers/bridge and consumers/reconcile.</text>",
        *(f'<path class="way" d="{way}"/>' for way in _WAYS),
        *(f'<path class="way home" d="{way}"/>' for way in _WAYS_HOME),
        *(line for box in BOXES for line in box.drawn()),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(svg(), encoding="utf-8")
