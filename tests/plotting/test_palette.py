"""One palette per kind of class, ordered by number of spots, and kept in partial figures."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

from sagefm.plotting import colours, style
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
    assert list(labels["colour"]) == [*colours.CLASS_COLOURS][:4]
    patients = table[table["kind"] == "patient"]
    assert list(patients["name"]) == ["Q", "P"]
    assert list(patients["colour"]) == [*colours.PATIENT_COLOURS][:2]
    assert set(palette_table(OBS.drop(columns="label"))["kind"]) == {"patient"}


def test_classes_of_tasks_that_are_no_labels_get_colours_of_their_own():
    tasks = [
        pd.DataFrame(
            {"class": ["rest", "x", "a"], "n_spots": [5, 9, 2], "kept": [True, False, True]}
        ),
        pd.DataFrame({"class": ["cancer", "rest"], "n_spots": [6, 1], "kept": True}),
    ]
    table = palette_table(OBS, tasks)
    classes = table[table["kind"] == "class"]
    assert classes[["name", "n_spots"]].to_numpy().tolist() == [["cancer", 6], ["rest", 5]]
    shown = table[table["kind"] != "patient"]
    assert list(shown["colour"]) == [*colours.CLASS_COLOURS][:6]


def test_a_figure_of_a_part_keeps_the_colours_and_others_get_free_ones():
    palette = palette_of(palette_table(OBS).query("kind == 'label'"))
    whole = style.colours_of("abcd", palette)
    part = style.colours_of(["d", "new", "a"], palette)
    assert whole == palette
    assert part["a"] == palette["a"] and part["d"] == palette["d"]
    assert part["new"] not in palette.values()
    assert not {*style.colours_of("xy", palette).values()} & {*palette.values()}
    assert [*style.colours_of("yx", {}).values()] == [*colours.CLASS_COLOURS][:2]


KINDS = {
    "methods": set(colours.OKABE_ITO.values()) | set(colours.MODEL_COLOURS),
    "classes": set(colours.CLASS_COLOURS),
    "patients": set(colours.PATIENT_COLOURS),
    "organs": set(colours.ORGAN_COLOURS),
    "clusters": set(colours.CLUSTER_COLOURS),
    "parts of the split": set(colours.SPLIT_COLOURS.values()),
}


@pytest.mark.parametrize("kinds", [*combinations(KINDS, 2)], ids=" and ".join)
def test_kinds_of_things_share_no_colour(kinds):
    one, other = (KINDS[kind] for kind in kinds)
    assert not one & other


# Machado, Oliveira and Fernandes (2009), severity 1: doi:10.1109/TVCG.2009.113
VISIONS = {
    "full": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("palette", ["CLASS_COLOURS", "PATIENT_COLOURS"])
def test_colours_are_told_apart(palette, vision):
    own = getattr(colours, palette)
    shown = style.shades(len(own) + 1, own)
    assert shown[-1] == style.GREY and len(set(shown)) == len(own) + 1
    rgb = np.array([to_rgb(colour) for colour in own])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ VISIONS[vision].T, 0, 1)
    seen = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(seen[None])[0]
    differences = deltaE_ciede2000(lab[:, None], lab[None])
    assert differences[np.triu_indices(len(own), 1)].min() > 7  # 1 is just seen
