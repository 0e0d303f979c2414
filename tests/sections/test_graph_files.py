"""The graphs of a cohort's sections: one file each, in one folder."""

import numpy as np
import pytest

from sagefm.common.errors import InputError
from sagefm.graphs.neighbourhoods import load_graph
from sagefm.sections.graph_files import graph_files, write_graphs
from support.small import write_sections

RING = {"kind": "grid", "rings": 1}
ST = "Spatial Transcriptomics"


def test_each_sample_has_its_own_graph_in_the_folder_of_its_cohort(tmp_path):
    sections = write_sections(tmp_path, **RING)
    samples = [section.counts_path for section in sections]
    made = tmp_path / "again/demo"
    write_graphs(samples, made, RING, {section.sample: ST for section in sections})
    assert len({*samples}) == len([*made.iterdir()]) == 3
    for section, path in zip(sections, graph_files(samples, [made, "other"]), strict=True):
        assert path == made / f"{section.sample}.npz"
        found, known = load_graph(path), load_graph(section.graph_path)
        np.testing.assert_array_equal(found.ego, known.ego)
        np.testing.assert_array_equal(found.indptr, known.indptr)


def test_a_section_without_such_neighbourhoods_is_named(tmp_path):
    first, second, _ = write_sections(tmp_path)
    arrays = {first.sample: ST, second.sample: "Xenium"}
    paths = [first.counts_path, second.counts_path]
    with pytest.raises(InputError, match=f"^demo/{second.sample}: graph kind `grid` takes arrays"):
        write_graphs(paths, tmp_path / "again/demo", RING, arrays)
