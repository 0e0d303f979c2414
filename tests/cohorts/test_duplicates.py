"""Duplicate sections are found, even with other names, another order or missing spots."""

import numpy as np
import pytest

from sagefm.cohorts.duplicates import find_duplicates, spot_checksums
from sagefm.cohorts.ingest import ingest
from sagefm.common.h5ad import write_h5ad
from support import helpers

CHANGES = {
    "the same": lambda adata: adata,
    "another order": lambda adata: adata[np.random.default_rng(0).permutation(adata.n_obs)].copy(),
    "spots missing": lambda adata: adata[: adata.n_obs * 2 // 3].copy(),
}


@pytest.fixture(scope="module")
def write(panel, tmp_path_factory):
    """A harmonised sample of a section, under a name."""
    folder = tmp_path_factory.mktemp("samples")

    def call(section, name):
        section.write_h5ad(folder / f"raw-{name}.h5ad")
        row = {"sample": name}
        sample = ingest(folder / f"raw-{name}.h5ad", row, panel, helpers.QC, helpers.HARMONISE)
        write_h5ad(sample, folder / f"{name}.h5ad")
        return folder / f"{name}.h5ad"

    return call


@pytest.mark.parametrize("case", CHANGES)
def test_a_section_that_is_there_twice(case, write):
    first, other = helpers.demo_section("heart-1"), helpers.demo_section("heart-5")
    again = CHANGES[case](helpers.demo_section("heart-1"))
    again.obs_names = [f"{number}" for number in range(again.n_obs)]
    again.obsm["spatial"] = again.obsm["spatial"] * 2
    paths = [write(first, "a"), write(other, "b"), write(again, "c")]
    found, folder = find_duplicates(paths), paths[0].parent.name
    assert found[["sample", "duplicate_of"]].to_numpy().tolist() == [[f"{folder}/c", f"{folder}/a"]]
    assert found["evidence"].tolist() == [
        f"{len({*map(bytes, again.X.toarray())})} spots with the same counts"
    ]
    assert find_duplicates(paths[:2]).empty and find_duplicates([]).empty


def test_a_bundled_section_was_deposited_twice(write):
    """HEST-1k has two sections of the heart that share 85 spots."""
    paths = [write(helpers.demo_section(name), name) for name in ("heart-1", "heart-2", "heart-3")]
    found, folder = find_duplicates(paths), paths[0].parent.name
    assert found.to_numpy().tolist() == [
        [f"{folder}/heart-2", f"{folder}/heart-1", "85 spots with the same counts"]
    ]


def test_a_checksum_is_of_each_count():
    counts = helpers.demo_section("heart-1").X.astype(np.int32).tocsr()
    more = counts.copy()
    more.data[0] += 1
    same = np.isin(spot_checksums(counts), spot_checksums(more))
    assert (~same).sum() == 1
