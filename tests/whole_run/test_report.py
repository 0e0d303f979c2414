"""The report in a browser without a network: no errors, all figures load, all links work.

Needs Chromium (`apt-get install chromium`).
"""

import json
import zipfile
from itertools import product
from pathlib import Path

import pytest

from support import browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1600),
    pytest.mark.skipif(browser.chromium() is None, reason="Chromium is not installed"),
]


CATEGORIES = [
    *("0 Scoreboard", "1 The paper's figures", "2 Data", "3 Pretraining", "4 Recovery (claim 2)"),
    *("5 Embeddings and clusters (claim 3)", "6 Annotation and subtypes (claims 4, 5)"),
    *("7 Perturbation (claim 6)", "8 Screen", "9 Imputation"),
]
FIGURE = (
    "[...document.querySelectorAll('img')].find("
    "i => i.src.includes('/data/raw/') && i.complete && i.naturalWidth > 200)?.src"
)
"""Address of the figure that is shown, once it is loaded."""
EYES = "document.querySelectorAll('a[iconname=eye]')"
TOGGLES = "JSON.stringify([...document.querySelectorAll('input[type=radio]')].map(i => i.id))"


@pytest.fixture(scope="module")
def report(results, tmp_path_factory) -> Path:
    """The folder of an unpacked report, of a small run."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(results / "report.zip") as archive:
        archive.extractall(unpacked)
    return unpacked / "report"


@pytest.fixture
def page(tmp_path):
    with browser.opened(tmp_path / "profile") as opened:
        yield opened


def click(page: browser.Page, text: str) -> None:
    """Click on the link of this text, once it is there."""
    link = (
        f"[...document.querySelectorAll('a')].find(a => a.innerText.trim() == {json.dumps(text)})"
    )
    page.wait(f"!!{link}")
    page.evaluate(f"{link}.click()")


def looked_at(page: browser.Page) -> set[str]:
    """Addresses of the figures that a category's rows show, under every setting of its toggles."""
    page.wait(f"{EYES}.length > 0")
    # A label with two values is a toggle, `toggle-{label}-{value}`, not a column.
    groups: dict[str, list[str]] = {}
    for name in json.loads(page.evaluate(TOGGLES)):
        groups.setdefault(name.split("-")[1], []).append(name)
    seen: set[str] = set()
    last = None
    for setting in product(*groups.values()):
        for name in setting:
            page.evaluate(f"document.getElementById({json.dumps(name)}).click()")
        for i in range(page.evaluate(f"{EYES}.length")):
            page.evaluate(f"{EYES}[{i}].click()")
            page.wait(f"{FIGURE} && {FIGURE} != {json.dumps(last)}")
            last = page.evaluate(FIGURE)
            seen.add(last)
    return seen


def results_of(page: browser.Page) -> dict:
    return json.loads(page.evaluate("JSON.stringify(results)"))


def test_every_figure_is_shown_from_the_menu_and_nothing_goes_wrong(report, page):
    page.open(report / "report.html")
    page.wait("typeof categories == 'object' && document.body.innerText.includes('Scoreboard')")
    found, results = json.loads(page.evaluate("JSON.stringify(categories)")), results_of(page)
    assert sorted(found) == CATEGORIES
    seen: set[str] = set()
    for number, category in enumerate(found):
        if number:
            click(page, "Results")
        click(page, category)
        paths = [path for group in found[category].values() for path in group]
        if any(results[path]["mime_type"] == "image/png" for path in paths):
            seen |= looked_at(page)
    figures = [own for own in results.values() if own["mime_type"] == "image/png"]
    assert seen == {(report / own["data_uri"]).as_uri() for own in figures}
    assert page.problems == []


def test_the_first_page_begins_where_it_can_be_read(report, page):
    """In a window of 1000 pixels, which it is taller than."""
    page.open(report / "report.html")
    page.wait("document.body.innerText.includes('Does SAGE-FM do what its paper says?')")
    page.wait("!!document.querySelector('.prose p')")
    tall = "document.querySelector('.h-screen.overflow-auto.items-center')"
    page.wait(f"{tall}.scrollHeight > window.innerHeight")
    assert page.evaluate(f"{tall}.scrollTop") == 0
    place = json.loads(
        page.evaluate("JSON.stringify(document.querySelector('.prose p').getBoundingClientRect())")
    )
    assert place["top"] >= 0
    assert place["left"] >= 0


def test_every_file_of_the_report_is_there_and_loads(report, page):
    page.open(report / "report.html")
    results = results_of(page)
    pages = [own for own in results.values() if own["mime_type"] == "text/html"]
    assert {own["name"] for own in pages} == {"scoreboard.html", "methods.html"}
    figures = [own["data_uri"] for own in results.values() if own["mime_type"] == "image/png"]
    assert len(figures) > 25
    for figure in figures:
        page.open(report / figure)
        assert page.evaluate("document.images[0].naturalWidth") > 200, figure
    assert all(own["caption"] for own in results.values())
    for own in pages:
        page.open(report / own["data_uri"])
        links = page.evaluate(
            "[...document.querySelectorAll('[href], [src]')].map(e => e.href || e.src)"
        )
        for link in links:
            # References lead to the web; nothing that the page itself needs does.
            assert link.startswith("https://doi.org/10."), link
        assert page.evaluate("document.body.innerText.length") > 500
        wide = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert wide, f"{own['name']} is wider than a window of 1300 pixels"
    assert page.problems == []


def test_the_results_page_is_read_at_any_width(results, page):
    page.open(results / "index.html")
    assert page.evaluate("document.querySelectorAll('tr.claim').length") == 5
    for width in (360, 1000, 1920):
        page.resize(width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    links = page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    local = [link for link in links if not link.startswith(("https://doi.org/", "#"))]
    assert len(local) > 10
    assert [link for link in local if not (results / link).exists()] == []
    assert page.problems == []


def test_the_section_viewer_shows_what_its_controls_choose(results, page):
    page.open(results / "sections/breast.html")
    model = "Bokeh.documents[0].get_model_by_name"
    page.wait(f"window.Bokeh?.documents.length && {model}('spots').data.label.length > 0")
    first = page.evaluate(f"{model}('spots').data.spot.join()")

    def choose_another(control: str) -> str:
        """Changes a control to another of its choices, whose title is returned."""
        choices = f"({model}('{control}').options ?? {model}('{control}').completions)"
        named = f"{choices}.map(own => Array.isArray(own) ? own : [own, own])"
        other = page.evaluate(f"{named}.find(([own]) => own != {model}('{control}').value)")
        page.evaluate(f"{model}('{control}').value = {json.dumps(other[0])}; 1")
        return other[1]

    choose_another("section")
    page.wait(f"{model}('spots').data.spot.join() != {json.dumps(first)}")
    controls = (("gene", "measured"), ("gene", "predicted"), ("model", "cluster"))
    for name, panel in (*controls, ("pair", "response")):
        title = json.dumps(choose_another(name))
        page.wait(f"{model}('{panel}').title.text.includes({title})")
    assert page.problems == []


def test_a_page_that_fails_is_noticed(tmp_path, page):
    broken = tmp_path / "broken.html"
    broken.write_text("<img src='none.png'><script>console.error('so'); nothing();</script>")
    page.open(broken)
    # The browser tells of each in its own time.
    for words in ("so", "nothing is not defined", "ERR_FILE_NOT_FOUND"):
        page.noticed(words)
