"""The documentation site: links in the repository's texts lead to pages of the site."""

import pytest
import yaml

from sagefm.report.site import PAGES, page_of, relink


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("README.md", "index.md"),
        ("config/README.md", "config.md"),
        ("docs/start.md", "start.md"),
        ("resources/figures/a.png", "figures/a.png"),
        ("LICENSE", None),
    ],
)
def test_a_file_of_the_repository_has_its_place_on_the_site(path, page):
    assert page_of(path) == page


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        ("README.md", "[a](docs/start.md)", "[a](start.md)"),
        ("docs/start.md", "![a](../resources/figures/b.png)", "![a](figures/b.png)"),
        ("docs/your-data.md", "[a](../config/README.md#x-y)", "[a](config.md#x-y)"),
        ("config/README.md", "[a](../docs/paper.md), [b](#x)", "[a](paper.md), [b](#x)"),
        ("docs/start.md", "[a](https://x.org/b.md)", "[a](https://x.org/b.md)"),
    ],
)
def test_links_are_rewritten_from_the_folder_of_their_text(source, text, found):
    assert relink(text, source) == found


def test_every_text_is_in_the_menu(repo):
    menu = yaml.safe_load((repo / "mkdocs.yml").read_text())["nav"]
    pages = [
        page
        for entry in menu
        for value in entry.values()
        for page in ([value] if isinstance(value, str) else [*map(_only, value)])
    ]
    assert len(set(pages)) == len(pages)
    assert set(pages) == {*PAGES.values(), *(path.name for path in (repo / "docs").glob("*.md"))}


def _only(entry: dict) -> str:
    (page,) = entry.values()
    return page
