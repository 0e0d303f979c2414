"""A method is added by one file, in a searched folder or named in the config."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from sagefm.clustering.claims import clustering_claim
from sagefm.clustering.tables import clustering_comparisons, clustering_summary
from sagefm.common.claim import Subject
from sagefm.common.errors import InputError
from sagefm.common.verdict import Training
from sagefm.report.docs import methods_table
from sagefm.representations.catalogue import Catalogue
from sagefm.representations.coherence import moran_table
from sagefm.representations.figures import draw_coherence
from sagefm.representations.files import read_representation, write_representation
from sagefm.representations.registry import (
    described,
    file_of,
    load_entry,
    names,
    read_options,
)
from sagefm.representations.represent import represent_entry
from support import cohorts
from support.clustered import COSTS, scores_like

HALVES = '''"""The first genes of each spot."""

from dataclasses import dataclass

from sagefm.representations.method import option

TITLE = "first genes"
ROLE = "untrained"
COLOUR = "#AA3377"
SPATIAL = False
TRANSDUCTIVE = False
SOURCE = "a test"


@dataclass(frozen=True)
class Options:
    """What the config may set."""

    genes: int = option(5, "Genes kept.")


def represent(cohort, options, seed):
    """Log counts of the first genes: float32 (spots, genes)."""
    return cohort.expression("log1p")[:, : options.genes].toarray()
'''
BARE = '''"""Nothing but zeros and ones."""
SPATIAL, TRANSDUCTIVE = False, True
def represent(cohort, options, seed):
    import numpy as np
    return np.eye(sum(section.n_obs for section in cohort.sections()), dtype=np.float32)
'''


@pytest.fixture
def added(tmp_path, monkeypatch) -> Path:
    """A method in a folder that is searched; no other file is touched."""
    path = tmp_path / "representations/methods/halves.py"
    path.parent.mkdir(parents=True)
    path.write_text(HALVES)
    monkeypatch.setenv("SAGEFM_PATH", str(tmp_path))
    return path


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return cohorts.write_cohort(tmp_path_factory.mktemp("cohort"))


def written(path: Path, name: str, entry: dict, cohort):
    """An entry's representation, written and read as the workflow does."""
    values, facts = represent_entry(name, entry, cohort, seed=1)
    write_representation(path, name, cohort, values, facts)
    return read_representation(path)


def test_a_method_of_a_folder_is_in_help_and_documentation(added):
    assert "halves" in names()
    assert file_of("halves", {}) == added
    table = methods_table()
    assert "| `halves` |  | The first genes of each spot. Source: a test. |" in table
    assert "| `halves.genes` | `5` | Genes kept. |" in table
    with pytest.raises(InputError, match="did you mean `halves`"):
        load_entry("halve", {})


def test_a_method_of_a_folder_is_in_tables_and_figures(added, cohort, tmp_path):
    found = written(tmp_path / "x.h5ad", "halves", {"genes": 4}, cohort)
    assert found.values.shape == (120, 4)
    assert not found.spatial_method and not found.transductive
    samples = found.obs["sample"].to_numpy()
    table = moran_table("halves", found.values, found.spatial, samples, 3).assign(cohort="c")
    assert list(table["representation"]) == ["halves"] * 3
    figure = draw_coherence(table, Catalogue(described({"halves": {}})))
    (label,) = figure.axes[0].get_yticklabels()
    assert label.get_text() == "first genes"
    assert to_hex(figure.axes[0].lines[1].get_color()).upper() == "#AA3377"


def test_a_control_of_a_folder_is_compared_with(added):
    scores = scores_like()
    scores["representation"] = scores["representation"].replace("pca", "halves")
    costs = COSTS.replace("pca", "halves")
    catalogue = Catalogue(described({"mofa": {}, "halves": {}, "neighbour_mean": {}}))
    comparisons = clustering_comparisons(scores, catalogue.references())
    assert "halves" in set(comparisons["reference"])
    summary = clustering_summary(scores, costs)
    assert "halves" in set(summary["representation"])
    subject = Subject("paper", Training(), "c", "a cohort", True, "none seen")
    claim = clustering_claim(subject, ["paper"], summary, comparisons, catalogue)
    assert claim.baseline == "MOFA 0.309, first genes 0.200, neighbour mean 0.561"
    assert "against first genes (Holm p" in claim.reason


def test_methods_are_described_without_heavy_imports():
    code = (
        "import sys; from sagefm.representations.catalogue import Catalogue; Catalogue();"
        "print({'numpy', 'scipy', 'torch', 'matplotlib', 'anndata'} & set(sys.modules))"
    )
    library = Path(__file__).parents[2] / "workflow"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=library, check=True
    )
    assert done.stdout.strip() == "set()"


# A file that the config names


def test_a_users_own_file(cohort, tmp_path):
    path = tmp_path / "my_method.py"
    path.write_text(HALVES)
    entry = {"file": str(path), "genes": 3, "title": "mine", "colour": "#123456"}
    found = written(tmp_path / "x.h5ad", "own", entry, cohort)
    assert found.values.shape == (120, 3)
    catalogue = Catalogue(described({"own": entry}))
    assert (catalogue.title("own"), catalogue.colour("own")) == ("mine", "#123456")
    assert "own" in catalogue.references("untrained")
    assert file_of("own", entry) == path


def test_a_users_own_file_needs_little(cohort, tmp_path):
    path = tmp_path / "bare.py"
    path.write_text(BARE)
    entry = {"file": str(path)}
    assert written(tmp_path / "x.h5ad", "my_own", entry, cohort).values.shape == (120, 120)
    method = load_entry("my_own", entry)
    assert method.description.title == "my own"
    assert method.description.role == "other"
    assert method.source == f"own file {path}"
    assert "my_own" not in Catalogue(described({"my_own": entry})).references()


def test_the_documentations_own_method_computes(repo, cohort, tmp_path):
    text = (repo / "config/README.md").read_text().partition("## A representation of your own")[2]
    path = tmp_path / "my_method.py"
    path.write_text(text.partition("```python\n")[2].partition("```")[0])
    entry = {"file": str(path), "components": 3}
    found = written(tmp_path / "x.h5ad", "mine", entry, cohort)
    assert found.values.shape == (120, 3)
    assert load_entry("mine", entry).help == "Principal components of the square roots of counts."


def test_an_own_file_does_not_see_withheld_genes(cohort, tmp_path):
    path = tmp_path / "my_method.py"
    path.write_text(HALVES)
    withheld = frozenset(cohort.panel()[:5])
    blind = replace(cohort, withheld=withheld)
    values, facts = represent_entry("own", {"file": str(path)}, blind, 1)
    np.testing.assert_array_equal(values, cohort.expression("log1p")[:, 5:10].toarray())
    assert facts["withheld_genes"] == 5


WRONG = {
    "no such file": (None, {}, "mine.py: no such Python file. Fix: correct the path"),
    "syntax": ("def represent(", {}, "cannot be loaded (SyntaxError"),
    "package": ("import no_such_package", {}, "cannot be loaded (ModuleNotFoundError"),
    "empty": ("x = 1\n", {}, "needs `represent`, which this file does not define"),
    "not said": ("SPATIAL = 1\nTRANSDUCTIVE = True\ndef represent(): pass\n", {},
                 "SPATIAL is neither True nor False. Fix"),
    "no function": ("SPATIAL = TRANSDUCTIVE = True\nrepresent = 3\n", {}, "is not a function"),
    "colour": (BARE + "COLOUR = 'red'\n", {}, "`red` is not a colour. Fix: write it as #RRGGBB"),
    "colour of the entry": (BARE, {"colour": "#12345"}, "`#12345` is not a colour"),
    "role": (BARE + "ROLE = 'controls'\n", {}, "`controls` is not a role of a method; did you me"),
    "title": (BARE + "TITLE = 3\n", {}, "TITLE is not text. Fix: write it in quotes."),
    "options": (BARE + "class Options: pass\n", {}, "`Options` is not a dataclass. Fix"),
    "unknown option": (BARE, {"genes": 3}, "unknown key `genes`"),
    "option's type": (HALVES, {"genes": "all"}, "`genes` is 'all', but takes a whole number"),
    "two kinds": (BARE, {"method": "pca"}, "both `file` and `method` are given. Fix: keep one"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_an_own_file_is_one_sentence(case, tmp_path):
    text, more, words = WRONG[case]
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_options("own", {"file": str(path), **more})
    message = str(caught.value)
    assert message.startswith("config, at representations.methods.own: ")
    assert words in message and "\n" not in message


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("np.ones((3, 2))", "returns 3 rows for 120 spots"),
        ("np.full((120, 2), np.nan)", "values that are not numbers"),
        ("np.ones(120)", r"has shape \(120,\)"),
        ("np.full((120, 2), 'a')", "values that are not numbers"),
        ("None", "has shape"),
    ],
)
def test_wrong_values_of_an_own_file_leave_no_representation(returned, words, cohort, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "SPATIAL = TRANSDUCTIVE = True\n"
        f"def represent(cohort, options, seed):\n    import numpy as np\n    return {returned}\n"
    )
    with pytest.raises(InputError, match=words):
        written(tmp_path / "x.h5ad", "own", {"file": str(path)}, cohort)
    assert not (tmp_path / "x.h5ad").exists()


def test_a_table_of_an_own_file_is_taken_as_its_values(cohort, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "SPATIAL = TRANSDUCTIVE = True\n"
        "def represent(cohort, options, seed):\n    import pandas as pd\n"
        "    return pd.DataFrame({'one': range(120), 'two': 1.5})\n"
    )
    found = written(tmp_path / "x.h5ad", "own", {"file": str(path)}, cohort)
    expected = pd.DataFrame({"one": range(120), "two": 1.5}).to_numpy(np.float32)
    np.testing.assert_array_equal(found.values, expected)
