"""Hooks of MkDocs: texts outside `docs/` become pages of the site, and links to them lead there."""

import posixpath
import re
from pathlib import Path
from typing import Any

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "config/README.md": "config.md",
    "envs/README.md": "environments.md",
}
"""Texts of other folders, and the pages they become."""

FOLDERS = {"docs/": "", "resources/figures/": "figures/"}
"""Folders of the repository, and what they are called on the site."""

_LINK = re.compile(r"\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def page_of(path: str) -> str | None:
    """Where the site has a file of the repository; None if it has not."""
    if path in PAGES:
        return PAGES[path]
    for folder, name in FOLDERS.items():
        if path.startswith(folder):
            return f"{name}{path.removeprefix(folder)}"
    return None


def relink(text: str, source: str) -> str:
    """A page's Markdown with links as they are on the site.

    Parameters
    ----------
    text
        Markdown whose links are relative to its own folder, as they are read in the repository.
    source
        Its path in the repository.
    """

    def link(found: re.Match) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), found[1]))
        page = page_of(target)
        return f"]({page}{found[2] or ''})" if page else found[0]

    return _LINK.sub(link, text)


def on_files(files: Any, config: Any) -> Any:
    """Add the texts and figures of other folders to the site's files."""
    from mkdocs.structure.files import File

    root = Path(config.config_file_path).parent
    figures = {
        path.relative_to(root).as_posix(): f"figures/{path.name}"
        for path in sorted((root / "resources/figures").iterdir())
    }
    for source, name in {**PAGES, **figures}.items():
        files.append(File.generated(config, name, abs_src_path=str(root / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite the links of a page."""
    names = {name: source for source, name in PAGES.items()}
    return relink(markdown, names.get(page.file.src_uri, f"docs/{page.file.src_uri}"))
