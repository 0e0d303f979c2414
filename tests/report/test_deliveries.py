"""Results of a run are those that chapters register; nothing else lists them."""

import re

import pytest

from support import runs

pytestmark = pytest.mark.slow

CHAPTER = "workflow/rules/screen.smk"
FIGURE = """

rule screen_overlap:
    input:
        scores=rules.screen_scores.output.scores,
    output:
        pdf=f"{RESULTS}/figures/screen_overlap_{{model}}_{{cohort}}.pdf",
        png=report(
            f"{RESULTS}/figures/screen_overlap_{{model}}_{{cohort}}.png",
            category="8 Screen",
            caption="../report/screen/overlap.rst",
        ),
    params:
        draw="draw_overlap",
    script:
        "../scripts/screen/figure.py"


deliver(figures=expand(rules.screen_overlap.output, **SCREENS))


rule claims_overlap:
    input:
        scores=expand(rules.screen_scores.output.scores, **SCREENS),
    output:
        claims=f"{RESULTS}/claims/overlap.tsv",
    script:
        "../scripts/screen/claims.py"


deliver(claims=rules.claims_overlap.output)
"""


def outputs(folder, target: str) -> dict[str, str]:
    """Every file that a target needs and the workflow makes, with its rule."""
    done = runs.snakemake(folder, "--summary", "--quiet", "--", target)
    assert done.returncode == 0, done.stdout
    rows = re.findall(r"^(results/\S+)\t[^\t]*\t(\w+)\t", done.stdout, re.M)
    return dict(rows)


def test_a_figure_and_a_claim_of_a_chapter_are_results(tmp_path):
    folder = runs.prepare(tmp_path / "run")
    chapter = folder / CHAPTER
    chapter.write_text(chapter.read_text() + FIGURE)
    (folder / "workflow/report/screen/overlap.rst").write_text("Genes found by both.\n")
    names = [f"figures/screen_overlap_{m}_breast" for m in runs.CONFIG["screen"]["models"]]
    figures = {f"{name}.{suffix}": "screen_overlap" for name in names for suffix in ("pdf", "png")}
    claims = {"claims/overlap.tsv": "claims_overlap"}
    made = outputs(folder, "all")
    added = {f"results/small/{name}": rule for name, rule in (figures | claims).items()}
    assert added.items() <= made.items()
    board = outputs(folder, "results/small/scoreboard.tsv")
    assert "results/small/claims/overlap.tsv" in board
    assert not figures.keys() & {name.removeprefix("results/small/") for name in board}
