"""Perturbation of gene pairs and their controls."""

import numpy as np
import pandas as pd
import pytest
import torch

from sagefm.common.errors import InputError
from sagefm.networks.base import build_network
from sagefm.networks.perturbed import choose_spots, neighbourhoods
from sagefm.perturbation import experiment
from sagefm.perturbation.experiment import draw_controls, perturb_pairs
from sagefm.perturbation.responses import KINDS, read_responses, slope_weights, write_responses
from sagefm.perturbation.terms import hidden_by, hidden_outputs
from sagefm.sections.gene_summary import GeneSums, levels_of, summarise_genes, summary_over
from sagefm.sections.section import load_chunk
from support import small
from support.models import fitted

GENES = 60
SETTINGS = {"spots": 16, "levels": 4, "controls": 3, "seed": 42}
# Genes by number: 5 drives 7 and 9, 7 drives 5, 12 drives 7.
PAIRS = pd.DataFrame(
    {
        "input": ["g5", "g5", "g7", "g12"],
        "output": ["g7", "g9", "g5", "g7"],
        "sign": [1, 1, -1, 1],
        "group": ["a", "a", "", "b"],
    }
)


@pytest.fixture
def setting(tmp_path):
    sections = small.write_sections(tmp_path, small.SAMPLES[:2], 30, GENES)
    network = build_network("gcn", GENES, small.WIDTHS, seed=2)
    torch.nn.init.constant_(network.fc_gene.bias, 0.5)
    means = pd.DataFrame(
        {"gene": [f"g{i}" for i in range(GENES)], "mean": np.linspace(3, 0, GENES)}
    )
    facts = pd.DataFrame(
        {"sample": small.SAMPLES[:2], "patient": ["p1", "p2"], "patient_seen": [True, False]}
    )
    return fitted(network), sections, facts, means, tmp_path / "state"


def responses_of(setting, pairs=PAIRS, hidden="table"):
    model, sections, facts, means, state = setting
    genes = summarise_genes(sections, "log1p")
    return perturb_pairs(
        model, sections, facts, pairs, means, genes, SETTINGS, state / hidden, hidden
    )


def test_curves_and_slopes_are_those_of_single_responses(setting):
    model, sections, _, means, _ = setting
    found = responses_of(setting)
    rows = choose_spots(sections, SETTINGS["spots"], SETTINGS["seed"])
    hidden = [5, 7, 9]
    controls = draw_controls(
        np.array([[5, 7], [5, 9], [7, 5], [12, 7]]), means["mean"].to_numpy(), 3, 42
    )
    wanted = {  # the kinds' outputs of each pair
        0: ([7], [5], [], []),
        1: ([9], [5], [], []),
        2: ([5], [9], [], []),
        3: ([7], [5, 9], [], []),
    }
    assert found.inputs == ["g5", "g7", "g12"] and found.outputs == ["g5", "g7", "g9"]
    levels = levels_of(sections, "log1p", [5, 7, 12], 4)
    np.testing.assert_array_equal(found.levels, levels)
    for pair, gene in enumerate([5, 5, 7, 12]):
        level = torch.from_numpy(levels[[5, 7, 12].index(gene)])
        for s, (section, chosen) in enumerate(zip(sections, rows, strict=True)):
            spots = next(neighbourhoods(model, section, chosen, hidden))
            with torch.inference_mode():
                every = spots.respond(gene, level, torch.arange(GENES)).mean(dim=1).numpy()
            outputs = [*wanted[pair][:2], *controls[pair]]
            # An output that is the input itself is no control; nor is another of the input's.
            outputs[1] = [o for o in outputs[1] if o != gene]
            for kind in range(len(KINDS)):
                if len(outputs[kind]):
                    expected = every[:, outputs[kind]].mean(axis=1)
                    np.testing.assert_allclose(
                        found.curves[pair, kind, s], expected, rtol=1e-4, atol=1e-6
                    )
                else:
                    assert np.isnan(found.curves[pair, kind, s]).all()
    over_samples = found.curves[0, 0].mean(axis=0)
    slope = np.polyfit(levels[0].astype(float), over_samples, 1)[0]
    np.testing.assert_allclose(found.slopes[0, 1], slope, rtol=1e-3)
    assert np.isnan(found.slopes[0, 0])  # g5 under g5
    for kind in (2, 3):
        curve = found.curves[0, kind].mean(axis=0)
        slope = np.polyfit(levels[0].astype(float), curve, 1)[0]
        np.testing.assert_allclose(found.control_slopes[0, kind - 2].mean(), slope, rtol=1e-3)


@pytest.mark.parametrize("hidden", ["ligand_receptor", "downstream"])
def test_genes_are_hidden_as_in_each_released_script(setting, hidden):
    """Held to whole subgraphs, one at a time, through the network's general path."""
    model, sections, _, means, _ = setting
    brute = fitted(model.network, kind="star")
    found = responses_of(setting, hidden=hidden)
    rows = choose_spots(sections, SETTINGS["spots"], SETTINGS["seed"])
    coded = np.array([[5, 7], [5, 9], [7, 5], [12, 7]])
    controls = draw_controls(coded, means["mean"].to_numpy(), 3, 42)
    levels = levels_of(sections, "log1p", [5, 7, 12], 4)
    for pair, (gene, output) in enumerate(coded):
        own = coded[:, 0] == gene
        outputs = coded[own, 1] if hidden == "downstream" else [5, 7, 9]
        others = [o for o in (5, 7, 9) if o not in coded[own, 1] and o != gene]
        asked = [  # hidden genes, and genes read, of each kind
            (outputs, [output]),
            (outputs, others),
            *((controls[own, kind].ravel(), controls[pair, kind]) for kind in (0, 1)),
        ]
        level = torch.from_numpy(levels[[5, 7, 12].index(gene)])
        for s, (section, chosen) in enumerate(zip(sections, rows, strict=True)):
            for kind, (missing, read) in enumerate(asked):
                spots = next(neighbourhoods(brute, section, chosen, missing))
                with torch.inference_mode():
                    every = spots.respond(gene, level, torch.tensor(read, dtype=torch.long)).mean(
                        dim=(1, 2)
                    )
                np.testing.assert_allclose(
                    found.curves[pair, kind, s], every.numpy(), rtol=1e-4, atol=1e-6
                )


def test_each_source_has_its_released_script():
    assert hidden_by("table", "tf_targets") == "table"
    assert hidden_by("as_released", "liana") == "ligand_receptor"
    assert hidden_by("as_released", "gene_sets") == "downstream"
    assert hidden_outputs(PAIRS, "g12", "downstream") == ["g7"]
    assert hidden_outputs(PAIRS, "g12", "ligand_receptor") == ["g5", "g7", "g9"]


def test_levels_span_the_scored_sections_or_the_whole_cohort(setting, tmp_path):
    _, sections, *_ = setting
    path = tmp_path / "genes.npz"
    GeneSums.of_files([section.counts_path for section in sections], "log1p").write(path)
    one = summary_over([path], sections[:1], "scored")
    pd.testing.assert_frame_equal(one, summarise_genes(sections[:1], "log1p"))
    every = summary_over([path], sections[:1], "cohort")
    pd.testing.assert_frame_equal(every, summarise_genes(sections, "log1p"))
    assert (every["high"] > one["high"]).any()


def test_levels_are_evenly_spaced_over_the_whole_range(setting):
    _, sections, *_ = setting
    genes = [0, 7, 31]
    values = np.concatenate(
        [load_chunk([section], "log1p").expression.toarray()[:, genes] for section in sections]
    )
    levels = levels_of(sections, "log1p", genes, 5)
    assert levels.dtype == np.float32
    expected = np.linspace(values.min(axis=0), values.max(axis=0), 5, axis=1)
    np.testing.assert_allclose(levels, expected, rtol=1e-6)


def test_controls_are_seeded_and_leave_out_the_inputs_own_genes():
    rng = np.random.default_rng(1)
    pairs = np.array([[0, 1], [0, 2], [3, 4]])
    mean = rng.random(200)
    drawn = draw_controls(pairs, mean, 10, seed=42)
    assert drawn.shape == (3, 2, 10)
    for (source, _), own in zip(pairs, drawn, strict=True):
        partners = pairs[pairs[:, 0] == source].ravel()
        assert not np.isin(own, partners).any()
        assert all(len(set(kind)) == 10 for kind in own)
    np.testing.assert_array_equal(draw_controls(pairs, mean, 10, seed=42), drawn)
    assert (draw_controls(pairs, mean, 10, seed=43) != drawn).any()
    # A pair's controls do not depend on the table it stands in.
    np.testing.assert_array_equal(draw_controls(pairs[[2]], mean, 10, seed=42)[0], drawn[2])


def test_matched_controls_are_near_in_expression():
    mean = np.arange(5000.0)
    drawn = draw_controls(np.array([[0, 2000], [0, 4999]]), mean, 10, seed=1)
    assert np.abs(drawn[0, 1] - 2000).max() <= 105
    assert drawn[1, 1].min() >= 4999 - 210
    assert np.abs(drawn[0, 0] - 2000).max() > 500  # random ones are not


def test_too_small_a_panel_is_refused():
    with pytest.raises(InputError, match=r"12 genes, too few for 11 controls .* lower"):
        draw_controls(np.array([[0, 1]]), np.arange(12.0), 11, seed=1)


def test_slope_weights_are_least_squares():
    levels = np.array([[0, 1, 2, 3], [0.5, 0.5, 0.5, 0.5]])
    values = np.array([1.0, 0.0, 4.0, 2.0])
    found = slope_weights(levels) @ values
    np.testing.assert_allclose(found[0], np.polyfit(levels[0], values, 1)[0])
    assert np.isnan(found[1])


def test_an_interrupted_job_goes_on_and_ends_alike(setting, monkeypatch):
    whole = responses_of(setting)
    *_, state = setting
    state /= "table"
    for path in state.iterdir():
        path.unlink()
    monkeypatch.setattr(experiment, "CHUNK_BYTES", 1)  # an input a chunk
    computed = []
    respond = experiment._respond_chunk

    def counted(*args):
        if len(computed) == 2:
            raise KeyboardInterrupt
        computed.append(args)
        return respond(*args)

    monkeypatch.setattr(experiment, "_respond_chunk", counted)
    with pytest.raises(KeyboardInterrupt):
        responses_of(setting)
    assert sorted(path.name for path in state.iterdir()) == ["0.npz", "1.npz"]
    computed.clear()
    again = responses_of(setting)
    assert len(computed) == 1
    for name in ("curves", "slopes", "control_slopes"):
        np.testing.assert_allclose(getattr(again, name), getattr(whole, name), rtol=1e-5, atol=1e-7)


def test_what_is_written_is_read(setting, tmp_path):
    responses = responses_of(setting)
    write_responses(tmp_path / "responses.npz", responses)
    found = read_responses(tmp_path / "responses.npz")
    for name in ("levels", "curves", "slopes", "control_slopes"):
        np.testing.assert_array_equal(getattr(found, name), getattr(responses, name))
    assert (found.inputs, found.outputs) == (responses.inputs, responses.outputs)
    for name in ("pairs", "samples"):
        table, expected = getattr(found, name), getattr(responses, name)
        assert table.to_dict("list") == expected.to_dict("list")
