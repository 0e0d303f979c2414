"""One palette a label set: by number of spots, and kept by figures that show a part of it."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

from sagefm.plotting import style
from sagefm.plotting.palette import palette_of, palette_table

OBS = pd.DataFrame(
    {
        "label": ["b", "b", "b", "a", "a", None, "c", "d"],
        "patient": ["P", "P", "P", "Q", "Q", "Q", "Q", "Q"],
    }
).astype("category")


def test_the_most_common_come_first_with_the_first_colours():
    table = palette_table(OBS)
    assert list(table) == ["kind", "name", "n_spots", "colour"]
    labels = table[table["kind"] == "label"]
    assert list(labels["name"]) == ["b", "a", "c", "d"]
    assert list(labels["n_spots"]) == [3, 2, 1, 1]
    assert list(labels["colour"]) == [*style.OKABE_ITO.values()][:4]
    assert list(table.loc[table["kind"] == "patient", "name"]) == ["Q", "P"]
    assert set(palette_table(OBS.drop(columns="label"))["kind"]) == {"patient"}


def test_a_figure_of_a_part_keeps_the_colours_and_others_get_free_ones():
    palette = palette_of(palette_table(OBS).query("kind == 'label'"))
    whole = style.colours_of("abcd", palette)
    part = style.colours_of(["d", "new", "a"], palette)
    assert whole == palette
    assert part["a"] == palette["a"] and part["d"] == palette["d"]
    assert part["new"] not in palette.values()
    assert style.colours_of(["x", "y"], {}) == style.categorical(["x", "y"])
    assert style.colours_of(["x", "y"], palette) == style.categorical(["x", "y"])


def test_colours_are_told_apart():
    colours = style.shades(22)
    assert colours[-1] == style.GREY and len(set(colours)) == 22
    lab = rgb2lab(np.array([[to_rgb(colour) for colour in colours[:-1]]]))[0]
    differences = deltaE_ciede2000(lab[:, None], lab[None])
    assert differences[np.triu_indices(21, 1)].min() > 10  # 1 is just seen
