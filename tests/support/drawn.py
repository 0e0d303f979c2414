"""Requirements for every figure: readable text, nothing cut off, and no overlapping text.

It also writes a section's tissue image, for maps.
"""

import re
from itertools import combinations
from pathlib import Path

import h5py
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.style import context
from matplotlib.text import Text

from sagefm.plotting import style

UNKNOWN = re.compile(r"\bnan\b")


def assert_readable(figure: Figure) -> None:
    """Assert that texts are large enough, inside, apart and known, and no legend covers bars."""
    canvas = FigureCanvasAgg(figure)
    with context(style.STYLE, after_reset=True):
        canvas.draw()
    boxes = {}
    for text in visible_texts(figure):
        assert text.get_fontsize() >= 7, text
        assert not UNKNOWN.search(text.get_text()), text
        box = boxes[text] = text.get_window_extent(canvas.get_renderer())
        inside = figure.bbox.padded(1)
        assert inside.contains(box.x0, box.y0) and inside.contains(box.x1, box.y1), f"{text} is cut"
    for one, other in combinations(boxes, 2):
        assert not boxes[one].padded(-1).overlaps(boxes[other].padded(-1)), f"{one} over {other}"
    for ax in figure.axes:
        if legend := ax.get_legend():
            box = legend.get_window_extent(canvas.get_renderer())
            covered = [bar for bar in ax.patches if box.overlaps(bar.get_window_extent())]
            assert not covered, f"a legend over {covered[0]}"


def title_of(figure: Figure) -> str:
    """A figure's title, its lines joined."""
    return " ".join(figure.get_suptitle().split())


def visible_texts(figure) -> list[Text]:
    """Texts that are drawn. Ticks beyond the limits of an axis exist but are not drawn."""
    hidden = set()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low <= tick.get_loc() <= high:
                    hidden |= {tick.label1, tick.label2}
    texts = figure.findobj(Text)
    return [t for t in texts if t.get_visible() and t.get_text().strip() and t not in hidden]


IMAGE = np.arange(60 * 80 * 3).reshape(60, 80, 3).astype(np.uint8)


def write_image(path: Path, image: np.ndarray | None = IMAGE, scale: float = 0.1) -> Path:
    """Write the parts of a harmonised sample that maps need: the tissue image, if there is one."""
    with h5py.File(path, "w") as file:
        if image is not None:
            file[f"uns/spatial/{path.stem}/images/hires"] = image
            file[f"uns/spatial/{path.stem}/scalefactors/tissue_hires_scalef"] = scale
    return path
