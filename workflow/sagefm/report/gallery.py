"""Images that README and docs show, from a finished run of the demo (`make gallery`)."""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from sagefm.annotation.figures import draw_annotation
from sagefm.annotation.terms import TEXT
from sagefm.common.errors import InputError
from sagefm.common.io import atomic, read_table
from sagefm.report.cost_figure import catalogue_of_configs

FOLDER = Path("resources/figures")

CONFIG = Path("config/config.yaml")
"""The demo's."""

TASK, COHORT = "pathology", "breast"
"""The demo's: whose scores, clusters and sections are shown."""

FIGURES = {"gallery_clustering.png": f"figures/clustering_maps_{COHORT}.png"}
"""Figures of the run, shown as they are."""

WIDTH = 1000
"""Pixels of an image; README shows it at most as wide."""

WINDOWS = {
    "gallery_results.png": ("index.html", (1300, 1060)),
    "gallery_viewer.png": (f"sections/{COHORT}.html", (1560, 980)),
}
"""Pages that are photographed, and the size of the browser's window."""


def gallery(run: Path, folder: Path = FOLDER) -> None:
    """Write every image.

    Parameters
    ----------
    run
        Folder of a finished run of the demo.

    Raises
    ------
    InputError
        If the run lacks a page or a figure, or Chromium is not installed.
    """
    pictures = {"demo_pathology.png": _drawn(draw_scores(run))}
    for path in FIGURES.values():
        _require(run / path)
    pictures |= {name: Image.open(run / path) for name, path in FIGURES.items()}
    pictures |= {name: photograph(run / page, size) for name, (page, size) in WINDOWS.items()}
    for name, picture in pictures.items():
        with atomic(folder / name) as temporary:
            fitted(picture).save(temporary, "PNG", optimize=True)


def fitted(picture: Image.Image) -> Image.Image:
    """A picture at `WIDTH` pixels, in 256 colours."""
    height = round(picture.height * WIDTH / picture.width)
    small = picture.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
    # Fast to load; rare colours, such as that of a class of few spots, are kept.
    return small.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


def photograph(page: Path, size: tuple[int, int]) -> Image.Image:
    """The top of a page in a window of that many pixels, by a headless Chromium.

    Raises
    ------
    InputError
        If there is no such page, or no Chromium.
    """
    _require(page)
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        raise InputError("Chromium is not installed. Fix: run `apt-get install chromium`.")
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "page.png"
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={folder}/profile", f"--window-size={size[0]},{size[1]}"]
        # Time for the page's script to draw.
        command += ["--virtual-time-budget=20000", f"--screenshot={shot}"]
        subprocess.run([*command, page.resolve().as_uri()], check=True, capture_output=True)
        with Image.open(shot) as picture:
            return picture.convert("RGB")


def _require(path: Path) -> None:
    if not path.exists():
        raise InputError(f"{path}: no such file. Fix: name the folder of a finished demo.")


def draw_scores(run: Path, config: Path = CONFIG) -> Figure:
    """The scores of the representations as they are: the centred would double the rows.

    Parameters
    ----------
    run, config
        Folder of a finished run of the demo, and its config.
    """
    tables = {
        name: read_table(run / f"tasks/{TASK}/{name}.tsv", dtype=kind)
        for name, kind in (("scores", None), ("patients", TEXT), ("skipped", None))
    }
    reported = read_table(Path("resources/reported.tsv"))
    (accuracy,) = reported.loc[reported["unit"] == "accuracy", "value"]
    scores = tables["scores"][~tables["scores"]["centred"].astype(bool)]
    given = (scores, tables["patients"], tables["skipped"])
    catalogue = catalogue_of_configs(config)
    return draw_annotation(*given, "the pathologist's classes", float(accuracy), catalogue)


def _drawn(figure: Figure) -> Image.Image:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=200)
    return Image.open(stream)


if __name__ == "__main__":
    gallery(Path(sys.argv[1]))
