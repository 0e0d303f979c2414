"""Make a harmonised sample from a row of a sheet: read, check, filter, map to the panel."""

import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

from sagefm.cohorts.absent import measured_genes
from sagefm.cohorts.arrangement import array_of, check_arrangement
from sagefm.cohorts.counts import WITHOUT_ONES, share_without_ones
from sagefm.cohorts.duplicates import CHECKSUMS, spot_checksums
from sagefm.cohorts.formats.base import Choice
from sagefm.cohorts.formats.registry import AUTO, find_section, load_format
from sagefm.cohorts.gene_names import date_names
from sagefm.cohorts.images import read_image
from sagefm.cohorts.panel import harmonise_by, read_aliases
from sagefm.cohorts.qc import apply_qc, count_shared_positions
from sagefm.cohorts.readers import read_source
from sagefm.cohorts.several import check_places
from sagefm.cohorts.spot_columns import ARRAY
from sagefm.common.errors import InputError
from sagefm.common.io import sha256
from sagefm.common.text import count


def ingest(
    path: str | Path,
    row: Mapping,
    panel: Sequence[str],
    qc: Mapping,
    harmonise: Mapping,
    image_pixels: int = 0,
) -> anndata.AnnData:
    """Make one harmonised sample.

    It depends only on the source and the settings. Patient, organ and similar columns stay in the
    sheet, and labels in their table; they are joined where they are used.

    Parameters
    ----------
    path
        The section's file or folder on disk.
    row
        The sheet's row, with the cohort's name as `cohort`. Only its columns `sheets.READ_BY` are
        used. Missing optional values may be absent, None, NaN or empty. `positions` is a path, used
        as it is.
    panel
        Gene symbols in the model's order.
    qc
        Arguments of `qc.apply_qc`.
    harmonise
        `duplicates` and `min_overlap` of `panel.harmonise`, and `aliases`, a path or None.
    image_pixels
        Longest side of the tissue image kept, if the source has one; 0 keeps no image.

    Returns
    -------
    AnnData
        `X` csr int32 (spots x panel), raw counts. `obs`: `in_tissue`, `array_row`, `array_col` if
        the source has them; `n_counts`, `n_genes`, `mito_share` over all genes of the source.
        `obsm['spatial']` float64 (spots, 2) in pixels. `uns['provenance']`, flat.
        `uns['removed_spots']`, if there are any, by name with their array positions.
        `uns['spatial'][sample]` from `images.read_image`.

    Raises
    ------
    InputError
        If the input cannot be used. The message starts with cohort, if any, and sample.
    """
    with _named(row), warnings.catch_warnings():
        # `panel.harmonise` resolves and counts repeated symbols.
        warnings.filterwarnings("ignore", message=".*names are not unique")
        return _ingest(Path(path), row, panel, qc, harmonise, image_pixels)


def section_files(path: str | Path, row: Mapping) -> list[Path]:
    """List the files from which a section is read, including images, without opening any.

    Raises
    ------
    InputError
        If a file is missing. The message starts with cohort and sample.
    """
    with _named(row):
        fmt, files = _locate(Path(path), row)
        pictures = [path for place in load_format(fmt).IMAGES for path in place.files(files)]
        return [*files.values(), *pictures]


@contextmanager
def _named(row: Mapping) -> Iterator[None]:
    """Prefix error messages with the sheet's row."""
    try:
        yield
    except InputError as error:
        names = [f"{key} {row[key]}" for key in ("cohort", "sample") if _value(row, key)]
        raise InputError(f"{', '.join(names)}: {error}") from error


def _locate(path: Path, row: Mapping) -> tuple[str, dict[str, Path]]:
    """Apply `formats.registry.find_section` with the format and positions of the sheet's row."""
    return find_section(path, _value(row, "format") or AUTO, _value(row, "positions") or None)


def _ingest(path, row, panel, qc, harmonise, image_pixels) -> anndata.AnnData:
    """Do the work of `ingest`; errors do not yet name the sheet's row."""
    fmt, files = _locate(path, row)
    choice = Choice(*(_value(row, one.name) for one in fields(Choice)))
    source = read_source(path, fmt, files.get("positions"), choice)
    _check_expected(source, row, path)
    notes = _check_spots(source, path)
    facts = {
        "cohort": _value(row, "cohort"),
        "sample": _value(row, "sample"),
        "source_path": _value(row, "path_or_id"),
        "source_sha256": _checksum(files),
        "reader": source.uns.pop("reader"),
        "spots_source": source.n_obs,
    }
    path_of_aliases = harmonise.get("aliases")
    aliases = read_aliases(path_of_aliases) if path_of_aliases else None
    kept = apply_qc(source, **qc, aliases=aliases)
    adata, genes = harmonise_by(kept, panel, harmonise)
    facts |= {
        "spots_kept": adata.n_obs,
        "duplicate_positions": count_shared_positions(adata.obsm["spatial"]),
    }
    in_source = adata.var["in_source"].to_numpy()
    adata.var["measured"], absent = measured_genes(source, in_source, _value(row, "absent"))
    notes += [absent, *_gene_notes(source, kept, qc)]
    adata.uns["provenance"] = facts | genes | {"notes": "; ".join(filter(None, notes))}
    adata.uns[CHECKSUMS] = spot_checksums(adata.X)
    removed = source.obs.loc[~source.obs_names.isin(kept.obs_names), :]
    if len(removed):
        adata.uns["removed_spots"] = removed[[name for name in ARRAY if name in removed]].copy()
    places = load_format(fmt).IMAGES if image_pixels else ()
    image = read_image(places, files, image_pixels, choice.library)
    if image is not None:
        adata.uns["spatial"] = {row["sample"]: image}
    return adata


def _check_spots(source: anndata.AnnData, path: Path) -> list[str]:
    """Check the arrangement of spots in tissue and return notes for the user."""
    inside = np.isfinite(source.obsm["spatial"]).all(axis=1)
    if "in_tissue" in source.obs:
        inside &= source.obs["in_tissue"].to_numpy() == 1
    obs, spatial = source.obs[inside], source.obsm["spatial"][inside]
    if len(obs) < 3:  # too few for quality control
        return []
    try:
        check_places(obs, spatial)
        note = check_arrangement(spatial, array_of(obs))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return [note]


def _gene_notes(source: anndata.AnnData, kept: anndata.AnnData, qc: Mapping) -> Iterator[str]:
    """Yield notes for the user on the names of a section's genes."""
    if dates := date_names(source.var_names):
        yield (
            f"{count(len(dates), 'gene')} named as a date by a spreadsheet (`{dates[0]}`) found no "
            "panel gene"
        )
    shares = kept.obs["mito_share"]
    if qc.get("max_mito_share", 1) < 1 and not (shares > 0).any():
        what = "mitochondrial gene" if shares.isna().all() else "count of a mitochondrial gene"
        yield f"no {what} was found, so that `max_mito_share` excludes no spot"
    without = share_without_ones(kept.X)
    if without > WITHOUT_ONES:
        yield (
            f"{without:.0%} of the spots have no gene with a count of 1, as if counts had been "
            "normalised and rounded (raw counts are needed)"
        )


def say_ingested(sample: anndata.AnnData) -> list[str]:
    """Say what was read and what was excluded: one sentence of numbers, and one per note."""
    facts = sample.uns["provenance"]
    panel = facts["genes_panel"] + facts["genes_missing"]
    removed = facts["spots_source"] - facts["spots_kept"]
    left_out = f" ({count(removed, 'spot')} left out by quality control)" if removed else ""
    numbers = (
        f"{count(facts['spots_kept'], 'spot')} of {facts['spots_source']:,}{left_out}, "
        f"{facts['genes_panel']:,} of the panel's {panel:,} genes, median "
        f"{sample.obs['n_counts'].median():,.0f} counts a spot"
    )
    return [numbers, *filter(None, facts["notes"].split("; "))]


def _value(row: Mapping, name: str) -> str:
    """Return a value of the sheet as text, empty if it is absent or missing."""
    value = row.get(name)
    return "" if pd.isna(value) else str(value)


def _check_expected(source: anndata.AnnData, row: Mapping, path: Path) -> None:
    """Raise an InputError if the numbers of spots or genes differ from the sheet's."""
    for name, obtained in (("spots", source.n_obs), ("genes", source.n_vars)):
        expected = _value(row, f"expected_{name}")
        if expected and float(expected) != obtained:
            raise InputError(
                f"{path}: has {obtained} {name}, but the sheet's expected_{name} is "
                f"{float(expected):g}. Fix: fetch the file again, or correct the sheet."
            )


def _checksum(files: Mapping[str, Path]) -> str:
    """Return the SHA-256 of a source's file; of several, that of their checksums by role."""
    sums = {role: sha256(path) for role, path in files.items()}
    if len(sums) == 1:
        return next(iter(sums.values()))
    text = "".join(f"{sums[role]}  {role}\n" for role in sorted(sums))
    return hashlib.sha256(text.encode()).hexdigest()
