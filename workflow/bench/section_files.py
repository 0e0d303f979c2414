"""Write sections in the formats of the services: Cell Ranger, Space Ranger, Matrix Market, R."""

import gzip
import io
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.io
import scipy.sparse as sp
from rdata.conversion import ConverterFromPythonToR
from rdata.unparser import unparse_file


def gene_ids(adata: anndata.AnnData) -> list[str]:
    """Make ids in Ensembl's form, which the bundled sections lack: ENSG and the gene's number."""
    return [f"ENSG{number:011d}" for number in range(adata.n_vars)]


def write_bytes(path: Path, content: bytes) -> Path:
    """Write content, gzipped if the name ends in `.gz`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_positions(adata: anndata.AnnData, path: Path, *, header: bool, **changes) -> Path:
    """Write Space Ranger's position file, plus one spot outside the tissue without counts.

    `changes` replace columns such as `barcode` or `pxl_row_in_fullres`.
    """
    obs = adata.obs
    table = pd.DataFrame(
        {
            "barcode": adata.obs_names,
            "in_tissue": 1,
            "array_row": obs["array_row"].to_numpy(),
            "array_col": obs["array_col"].to_numpy(),
            "pxl_row_in_fullres": adata.obsm["spatial"][:, 1],
            "pxl_col_in_fullres": adata.obsm["spatial"][:, 0],
        }
    ).assign(**changes)
    # The order differs from the matrix, as in Space Ranger's file.
    table = pd.concat(
        [pd.DataFrame([["OUTSIDE", 0, 0, 0, 1, 1]], columns=table.columns), table[::-1]]
    )
    return write_bytes(path, table.to_csv(index=False, header=header).encode())


def write_tenx_h5(adata: anndata.AnnData, path: Path, *, antibodies: int = 1) -> Path:
    """Write Cell Ranger 3's HDF5 layout: CSC of features x barcodes, antibodies at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    extra = np.full((adata.n_obs, antibodies), 7)
    matrix = sp.csr_matrix(sp.hstack([adata.X, extra]), dtype=np.int32)
    names = [*adata.var_names, *(f"antibody{i}" for i in range(antibodies))]
    ids = [*gene_ids(adata), *names[adata.n_vars :]]
    types = ["Gene Expression"] * adata.n_vars + ["Antibody Capture"] * antibodies
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        group["barcodes"] = np.array(list(adata.obs_names), dtype="S")
        group["data"], group["indices"] = matrix.data, matrix.indices.astype(np.int64)
        group["indptr"] = matrix.indptr.astype(np.int64)
        group["shape"] = np.array(matrix.shape[::-1], dtype=np.int32)
        for name, column in {
            "id": ids,
            "name": names,
            "feature_type": types,
            "genome": ["GRCh38"] * len(ids),
        }.items():
            group[f"features/{name}"] = np.array(column, dtype="S")
        group["features/_all_tag_keys"] = np.array(["genome"], dtype="S")
    return path


def write_mtx(
    adata: anndata.AnnData, folder: Path, *, gz: bool = True, legacy: bool = False, prefix: str = ""
) -> Path:
    """Write a Matrix Market triple; `legacy` names the features file `genes.tsv`, without types."""
    suffix = ".gz" if gz else ""
    content = io.BytesIO()
    scipy.io.mmwrite(content, sp.coo_matrix(adata.X.T).astype(np.int32))
    write_bytes(folder / f"{prefix}matrix.mtx{suffix}", content.getvalue())
    features = pd.DataFrame({"id": gene_ids(adata), "name": adata.var_names})
    if not legacy:
        features["type"] = "Gene Expression"
    name = "genes" if legacy else "features"
    text = features.to_csv(sep="\t", index=False, header=False)
    write_bytes(folder / f"{prefix}{name}.tsv{suffix}", text.encode())
    text = "".join(f"{barcode}\n" for barcode in adata.obs_names)
    write_bytes(folder / f"{prefix}barcodes.tsv{suffix}", text.encode())
    return folder


def write_spaceranger(
    adata: anndata.AnnData, folder: Path, *, header: bool, as_mtx: bool = False
) -> Path:
    """Write an `outs/` folder of Space Ranger 1 (`header=False`) or 2 (`header=True`)."""
    if as_mtx:
        write_mtx(adata, folder / "filtered_feature_bc_matrix")
    else:
        write_tenx_h5(adata, folder / "filtered_feature_bc_matrix.h5")
    name = "tissue_positions.csv" if header else "tissue_positions_list.csv"
    write_positions(adata, folder / "spatial" / name, header=header)
    return folder


def write_r_labels(labels: pd.Series, path: Path) -> Path:
    """Write labels by spot as R's `save` writes a Seurat object that contains nothing else."""
    convert = ConverterFromPythonToR()
    saved = convert.convert_to_r_data({"sample": []}, file_type="rda")
    thing, _ = saved.object.value
    thing.attributes = convert.convert_to_r_attributes({"meta.data": labels.to_frame()})
    thing.info.attributes = True
    unparse_file(path, saved, file_type="rda")
    return path
