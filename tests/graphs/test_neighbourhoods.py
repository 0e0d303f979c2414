"""Neighbourhoods against brute force, on artificial arrays and on real sections."""

import inspect

import anndata
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.neighbors import NearestNeighbors

from sagefm.common.errors import InputError
from sagefm.config.schemas import load_schema
from sagefm.graphs.nearest import TIES, has_tied_border, nearest, nearest_by_ball_tree
from sagefm.graphs.neighbourhoods import build_graph, load_graph, save_graph, spot_spacing
from support import helpers

VISIUM, ST = "Visium", "Spatial Transcriptomics"
HEXAGON = [(0, 2), (0, -2), (1, 1), (1, -1), (-1, 1), (-1, -1)]
CROSS = [(0, 1), (0, -1), (1, 0), (-1, 0)]
KING = [*CROSS, (1, 1), (1, -1), (-1, 1), (-1, -1)]


def brute_nearest(coordinates: np.ndarray, size: int) -> np.ndarray:
    """By definition: the spot itself, then by distance, ties to the lower row."""
    found = []
    for i, spot in enumerate(coordinates):
        distance = ((coordinates - spot) ** 2).sum(axis=1)
        distance[i] = -1
        found.append(np.lexsort((np.arange(len(coordinates)), distance))[:size])
    return np.array(found)


def lattice(n: int) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=-1).reshape(-1, 2).astype(float)


def coordinates_of(case: str) -> np.ndarray:
    rng = np.random.default_rng(4)
    scattered = rng.uniform(0, 1000, (150, 2))
    return {
        "scattered": scattered,
        "lattice, ties everywhere": rng.permutation(lattice(12)),
        "20 spots on one position": np.concatenate([scattered, np.tile(scattered[5], (20, 1))]),
        "40 spots on one position": rng.permutation(np.concatenate([lattice(8), np.ones((40, 2))])),
        "all spots on one position": np.full((30, 2), 7.0),
        "on a line": np.stack([np.arange(40.0), np.zeros(40)], axis=1),
        "7 spots": scattered[:7],
        "2 spots": scattered[:2],
    }[case]


CASES = [
    "scattered",
    "lattice, ties everywhere",
    "20 spots on one position",
    "40 spots on one position",
    "all spots on one position",
    "on a line",
    "7 spots",
    "2 spots",
]


@pytest.mark.parametrize("size", [4, 15])
@pytest.mark.parametrize("case", CASES)
def test_nearest_is_brute_force(case, size):
    coordinates = coordinates_of(case)
    found = nearest(coordinates, size)
    np.testing.assert_array_equal(found, brute_nearest(coordinates, size))
    np.testing.assert_array_equal(found[:, 0], np.arange(len(coordinates)))
    assert found.dtype == np.int32


@pytest.mark.parametrize("size", [4, 15])
@pytest.mark.parametrize("case", CASES)
def test_ties_by_ball_tree_are_sklearns_with_the_centre_first(case, size):
    coordinates = coordinates_of(case)
    size = min(size, len(coordinates))
    search = NearestNeighbors(n_neighbors=size, algorithm="ball_tree").fit(coordinates)
    theirs = search.kneighbors(coordinates, return_distance=False)
    ours = nearest_by_ball_tree(coordinates, size)
    assert ours.dtype == np.int32 and ours.shape == theirs.shape
    for i, (own, given) in enumerate(zip(ours, theirs, strict=True)):
        assert own[0] == i
        assert list(own[1:]) == [spot for spot in given if spot != i][: size - 1]
    np.testing.assert_array_equal(
        build_graph(coordinates, "knn_clique", size=size, ties="ball_tree").ego, ours.ravel()
    )
    np.testing.assert_array_equal(
        build_graph(coordinates, "star", size=size, ties="ball_tree").ego, ours.ravel()
    )


def test_the_rules_for_ties_differ_in_tied_spots_alone():
    array = array_positions(hexagonal=True)
    coordinates = 100 * array[:, ::-1] * np.array([0.5, np.sqrt(3) / 2])
    rows, tree = nearest(coordinates, 15), nearest_by_ball_tree(coordinates, 15)
    differ = np.array([set(a) != set(b) for a, b in zip(rows, tree, strict=True)])
    distance = np.linalg.norm(coordinates[:, None] - coordinates, axis=2)
    tied = [np.isclose(*np.sort(own)[[14, 15]], rtol=1e-9) for own in distance]
    np.testing.assert_array_equal(has_tied_border(coordinates, 15), tied)
    assert 0 < differ.sum() < sum(tied) < len(tied)
    assert not (differ & ~np.array(tied)).any()
    assert not has_tied_border(coordinates[:15], 15).any()


def test_the_schema_names_the_rules_for_ties():
    graph = load_schema("config")["properties"]["graphs"]["additionalProperties"]["properties"]
    assert graph["ties"]["enum"] == list(TIES)
    assert graph["ties"]["default"] == inspect.signature(build_graph).parameters["ties"].default


def test_an_unknown_rule_for_ties_is_refused():
    with pytest.raises(InputError, match=r"`ties: first` is unknown\. Fix: use row or ball"):
        build_graph(lattice(4), "star", ties="first")


@pytest.mark.parametrize("kind", ["knn_clique", "star", "radius"])
def test_permuted_spots_give_permuted_neighbourhoods(kind):
    coordinates = coordinates_of("scattered")
    order = np.random.default_rng(1).permutation(len(coordinates))
    before, after = build_graph(coordinates, kind), build_graph(coordinates[order], kind)
    for new, old in enumerate(order):
        assert set(order[members(after, new)]) == set(members(before, old))


def members(graph, spot) -> np.ndarray:
    return graph.ego[graph.indptr[spot] : graph.indptr[spot + 1]]


def array_positions(hexagonal: bool) -> np.ndarray:
    """An array with holes and an isolated spot, in no order."""
    rng = np.random.default_rng(2)
    rows, columns = np.mgrid[0:14, 0:22]
    keep = rng.uniform(size=rows.shape) > 0.15
    keep[:, 17:19] = keep[12:, :] = False
    keep[13, 21] = True
    if hexagonal:
        keep &= (rows + columns) % 2 == 0
    return rng.permutation(np.stack([rows[keep], columns[keep]], axis=1))


def pixels(array: np.ndarray, hexagonal: bool) -> np.ndarray:
    """Pixels of array positions, 100 apart, a little jittered, turned by 10 degrees."""
    step = (np.sqrt(3) / 2, 0.5) if hexagonal else (1, 1)
    exact = 100 * array[:, ::-1] * step[::-1]
    cos, sin = np.cos(np.pi / 18), np.sin(np.pi / 18)
    noise = np.random.default_rng(3).normal(0, 5, exact.shape)
    return exact @ np.array([[cos, sin], [-sin, cos]]) + noise


def brute_ties(array: np.ndarray, offsets) -> np.ndarray:
    """Dense bool (spots, spots): which spots are one array step apart."""
    steps = {tuple(offset) for offset in offsets}
    return np.array([[tuple(b - a) in steps for b in array] for a in array])


def brute_reach(ties: np.ndarray, rings: int) -> np.ndarray:
    step = ties | np.eye(len(ties), dtype=bool)
    return np.linalg.matrix_power(step.astype(np.int64), rings) > 0


GRIDS = [
    (VISIUM, False, 1, HEXAGON, 7),
    (VISIUM, False, 2, HEXAGON, 19),
    (ST, False, 1, CROSS, 5),
    (ST, False, 2, CROSS, 13),
    (ST, True, 1, KING, 9),
    (ST, True, 2, KING, 25),
]


@pytest.mark.parametrize(("technology", "corners", "rings", "offsets", "full"), GRIDS)
def test_grid_is_brute_force_on_the_array(technology, corners, rings, offsets, full):
    array = array_positions(technology == VISIUM)
    coordinates = pixels(array, technology == VISIUM)
    graph = build_graph(
        coordinates, "grid", rings=rings, array=array, technology=technology, corners=corners
    )
    ties = brute_ties(array, offsets)
    np.testing.assert_array_equal(graph.adjacency.toarray(), ties)
    reached = brute_reach(ties, rings)
    for spot in range(len(array)):
        assert members(graph, spot)[0] == spot
        assert sorted(members(graph, spot)) == list(np.flatnonzero(reached[spot]))
    sizes = np.diff(graph.indptr)
    assert sizes.min() == 1  # the isolated spot
    assert sizes.max() <= full


@pytest.mark.parametrize(("technology", "corners", "rings", "offsets", "full"), GRIDS)
def test_inside_an_array_a_grid_neighbourhood_is_full(technology, corners, rings, offsets, full):
    array = lattice(11).astype(int)
    if technology == VISIUM:
        array = array[array.sum(axis=1) % 2 == 0]
    graph = build_graph(
        pixels(array, technology == VISIUM),
        "grid",
        rings=rings,
        array=array,
        technology=technology,
        corners=corners,
    )
    centre = np.flatnonzero((array == [5, 5]).all(axis=1))[0]
    assert len(members(graph, centre)) == full


@pytest.mark.parametrize("copies", [1, 8, 30])
@pytest.mark.parametrize(("technology", "offsets"), [(VISIUM, HEXAGON), (ST, CROSS)])
def test_spots_that_share_an_array_position_keep_its_neighbours(technology, offsets, copies):
    array = array_positions(technology == VISIUM)
    array = np.concatenate([array, np.tile(array[40], (copies, 1))])
    graph = build_graph(
        pixels(array, technology == VISIUM), "grid", array=array, technology=technology
    )
    np.testing.assert_array_equal(graph.adjacency.toarray(), brute_ties(array, offsets))


@pytest.mark.parametrize("spots", [2, 3, 5, 8])
def test_grid_of_a_section_smaller_than_a_ring(spots):
    array = np.array([(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (2, 1), (5, 5)])[:spots]
    graph = build_graph(100.0 * array, "grid", array=array, technology=ST)
    np.testing.assert_array_equal(graph.adjacency.toarray(), brute_ties(array, CROSS))


@pytest.mark.parametrize(
    ("technology", "array_kind", "words"),
    [
        (VISIUM, "square", "not those of a `Visium` array"),
        (ST, "hexagonal", "not those of a `Spatial Transcriptomics` array"),
        ("Xenium", "square", "`Xenium`"),
        ("", "square", "set `technology`, or the array itself, `hexagonal`"),
        (VISIUM, None, "do not fit the array"),
        (ST, "shuffled", "array positions and pixel coordinates disagree"),
        (VISIUM, "shuffled hexagonal", "array positions and pixel coordinates disagree"),
    ],
)
def test_grid_refuses_an_array_that_cannot_be(technology, array_kind, words):
    hexagonal = "hexagonal" in (array_kind or "")
    array = array_positions(hexagonal)
    coordinates = pixels(array, hexagonal)
    if "shuffled" in (array_kind or ""):
        array = np.random.default_rng(0).permutation(array)
    with pytest.raises(InputError, match=words):
        build_graph(
            coordinates,
            "grid",
            array=array if array_kind else None,
            technology=technology,
        )


def test_unknown_kind_is_refused():
    with pytest.raises(InputError, match=r"graph kind `knn` is unknown. Fix: use knn_clique, star"):
        build_graph(lattice(4), "knn")


def test_star_has_the_nearest_spots():
    coordinates = coordinates_of("lattice, ties everywhere")
    star, clique = (
        build_graph(coordinates, "star", size=6),
        build_graph(coordinates, "knn_clique", size=6),
    )
    np.testing.assert_array_equal(star.ego, clique.ego)


@pytest.mark.parametrize("case", ["scattered", "20 spots on one position"])
def test_radius_is_brute_force(case):
    coordinates = coordinates_of(case)
    distance = np.linalg.norm(coordinates[:, None] - coordinates, axis=2)
    others = np.where(distance > 0, distance, np.inf).min(axis=1)
    positions = np.unique(coordinates, axis=0, return_index=True)[1]
    assert spot_spacing(coordinates) == pytest.approx(np.median(others[positions]))
    graph = build_graph(coordinates, "radius", radius_spacings=2.5)
    ties = distance <= 2.5 * np.median(others[positions])
    for spot in range(len(coordinates)):
        assert members(graph, spot)[0] == spot
        assert sorted(members(graph, spot)) == list(np.flatnonzero(ties[spot]))


def all_kinds() -> dict:
    coordinates = coordinates_of("20 spots on one position")
    hexagonal = array_positions(True)
    return {
        "knn_clique": build_graph(coordinates, "knn_clique", size=6),
        "tiny knn_clique": build_graph(coordinates[:4], "knn_clique", size=6),
        "star": build_graph(coordinates, "star", size=6),
        "radius": build_graph(coordinates, "radius", radius_spacings=2),
        "grid": build_graph(
            pixels(hexagonal, True), "grid", rings=2, array=hexagonal, technology=VISIUM
        ),
    }


KINDS = ["knn_clique", "tiny knn_clique", "star", "radius", "grid"]


@pytest.fixture(scope="module")
def graphs():
    return all_kinds()


def brute_edges(graph, spot: int) -> set[tuple[int, int]]:
    """Edges of one neighbourhood, as pairs of places in it."""
    ego = members(graph, spot)
    pairs = {(a, b) for a in range(len(ego)) for b in range(len(ego)) if a != b}
    if graph.kind == "star":
        return {(a, b) for a, b in pairs if 0 in (a, b)}
    if graph.adjacency is not None:
        ties = graph.adjacency.toarray()
        return {(a, b) for a, b in pairs if ties[ego[a], ego[b]]}
    return pairs


@pytest.mark.parametrize("kind", KINDS)
def test_subgraphs_are_brute_force(graphs, kind):
    graph = graphs[kind]
    # Out of order, one of them twice, neighbourhoods that overlap.
    spots = np.array([3, 0, 3, 2, graph.n_spots - 1])
    nodes, edges, centre = graph.subgraphs(spots)
    assert edges.dtype == centre.dtype == np.int64
    expected_nodes, expected_edges, start = [], [], 0
    for place, spot in enumerate(spots):
        assert centre[place] == start
        assert nodes[start] == spot
        expected_nodes.extend(members(graph, spot))
        expected_edges.extend((a + start, b + start) for a, b in brute_edges(graph, spot))
        start += len(members(graph, spot))
    assert list(nodes) == expected_nodes
    assert len(expected_edges) > 0
    assert sorted(map(tuple, edges.T)) == sorted(expected_edges)


@pytest.mark.parametrize("kind", KINDS)
def test_mean_operator_averages_each_neighbourhood(graphs, kind):
    graph = graphs[kind]
    operator = graph.mean_operator()
    np.testing.assert_allclose(operator.sum(axis=1), 1, rtol=1e-6)
    x = np.random.default_rng(0).normal(size=(graph.n_spots, 3))
    means = [x[members(graph, spot)].mean(axis=0) for spot in range(graph.n_spots)]
    np.testing.assert_allclose(operator @ x, means, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_survives_the_disk(graphs, kind, tmp_path):
    graph = graphs[kind]
    save_graph(graph, tmp_path / "graph.npz")
    again = load_graph(tmp_path / "graph.npz")
    assert again.kind == graph.kind
    np.testing.assert_array_equal(again.indptr, graph.indptr)
    np.testing.assert_array_equal(again.ego, graph.ego)
    assert (again.adjacency is None) == (graph.adjacency is None)
    if graph.adjacency is not None:
        assert sp.csr_matrix(again.adjacency != graph.adjacency).nnz == 0
    for ours, theirs in zip(
        again.subgraphs(np.arange(4)), graph.subgraphs(np.arange(4)), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("sample", ["SPA153", "heart-1"])
def test_real_sections(sample):
    section: anndata.AnnData = helpers.demo_section(sample)
    coordinates = section.obsm["spatial"]
    array = section.obs[["array_row", "array_col"]].to_numpy()
    knn = build_graph(coordinates, "knn_clique")
    np.testing.assert_array_equal(
        knn.ego.reshape(-1, 15), brute_nearest(np.asarray(coordinates, dtype=np.float64), 15)
    )
    for corners, offsets in ((False, CROSS), (True, KING)):
        grid = build_graph(coordinates, "grid", array=array, technology=ST, corners=corners)
        np.testing.assert_array_equal(grid.adjacency.toarray(), brute_ties(array, offsets))
    with pytest.raises(InputError, match="not those of a `Visium` array"):
        build_graph(coordinates, "grid", array=array, technology=VISIUM)
