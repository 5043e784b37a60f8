"""Boxes in columns with arrows between them, as SVG: no network, no script, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

CHARACTER = 6.7  # width of one monospaced character at 11 px
LINE = 15
PADDING = 8
GAP = 14.0
ALLEY = 90  # between columns: room for the arrows
TALLEST = 1500
STYLE = (
    "text{font:11px ui-monospace,Menlo,Consolas,monospace;fill:#1f2933}.name{font-weight:700}.note{fill:#66758a}"
    ".box{fill:#fff;stroke:#8a9bb0}.guest{fill:#f1f4f8;stroke-dasharray:4 3}.edge{fill:none;stroke:#4c6fae;stroke-opacity:.55}"
)


@dataclass(frozen=True)
class Box:
    """A titled list of lines. A `guest` belongs elsewhere and is drawn dashed."""

    name: str
    lines: tuple[str, ...] = ()
    guest: bool = False

    @property
    def width(self) -> float:
        return max(len(text) for text in (self.name, *self.lines)) * CHARACTER + 2 * PADDING

    @property
    def height(self) -> float:
        return (1 + len(self.lines)) * LINE + PADDING


@dataclass(frozen=True)
class Place:
    """Where a box lies: its upper left corner."""

    box: Box
    x: float
    y: float


def draw(boxes: Sequence[Box], edges: Iterable[tuple[str, str]], title: str) -> str:
    """An SVG of the boxes; an edge (from, to) is an arrow between two names. What others point at lies to the left."""
    names = {box.name for box in boxes}
    arrows = sorted({(start, end) for start, end in edges if start != end and start in names and end in names})
    places = _place(boxes, _ranks(boxes, arrows))
    width = max(place.x + place.box.width for place in places.values()) + ALLEY / 2
    height = max(place.y + place.box.height for place in places.values()) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        '<defs><marker id="tip" markerWidth="7" markerHeight="6" refX="6" refY="3" orient="auto">'
        '<path d="M0 0L7 3L0 6z" fill="#4c6fae"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fbfcfe"/>',
        *(_arrow(places[start], places[end]) for start, end in arrows),
        *(_draw_box(place) for place in places.values()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _ranks(boxes: Sequence[Box], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    targets: dict[str, list[str]] = {box.name: [] for box in boxes}
    for start, end in arrows:
        targets[start].append(end)
    ranks: dict[str, int] = {}

    def rank(name: str, path: frozenset[str]) -> int:
        if name not in ranks:
            onward = [target for target in targets[name] if target not in path]
            ranks[name] = 1 + max((rank(target, path | {name}) for target in onward), default=-1)
        return ranks[name]

    for box in sorted(boxes, key=lambda box: box.name):
        rank(box.name, frozenset({box.name}))
    return ranks


def _place(boxes: Sequence[Box], ranks: dict[str, int]) -> dict[str, Place]:
    places: dict[str, Place] = {}
    x, y, widest, column = GAP, GAP, 0.0, 0
    for box in sorted(boxes, key=lambda box: (ranks[box.name], box.name)):
        if ranks[box.name] != column or y + box.height > TALLEST:
            x, y, widest, column = x + widest + ALLEY, GAP, 0.0, ranks[box.name]
        places[box.name] = Place(box, x, y)
        y += box.height + GAP
        widest = max(widest, box.width)
    return places


def _arrow(start: Place, end: Place) -> str:
    start_y, end_y = start.y + LINE * 0.8, end.y + LINE * 0.8
    end_x = end.x + end.box.width + 2
    if start.x > end_x:
        start_x, pull = start.x, ALLEY / 2
        curve = f"C{start_x - pull:.0f} {start_y:.0f} {end_x + pull:.0f} {end_y:.0f}"
    else:
        start_x = start.x + start.box.width
        bulge = max(start_x, end_x) + ALLEY / 2
        curve = f"C{bulge:.0f} {start_y:.0f} {bulge:.0f} {end_y:.0f}"
    return f'<path class="edge" marker-end="url(#tip)" d="M{start_x:.0f} {start_y:.0f}{curve} {end_x:.0f} {end_y:.0f}"/>'


def _draw_box(place: Place) -> str:
    box, left = place.box, place.x + PADDING
    kind = "box guest" if box.guest else "box"
    lines = [
        f'<rect class="{kind}" x="{place.x:.0f}" y="{place.y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}" rx="4"/>',
        f'<text class="name" x="{left:.0f}" y="{place.y + LINE:.0f}">{escape(box.name)}</text>',
    ]
    for number, text in enumerate(box.lines, start=2):
        lines.append(f'<text class="note" x="{left:.0f}" y="{place.y + number * LINE:.0f}">{escape(text)}</text>')
    return "".join(lines)
