"""`make embed`: one section with a model's embedding of its spots, without a config."""

import argparse
import logging
import sys

from sagefm.common.errors import InputError
from sagefm.exports.section import embed_section
from sagefm.networks.device import prepare_machine

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("source", help="Space Ranger's outs/, a 10x .h5, a matrix folder or an .h5ad")
parser.add_argument("output", help="the .h5ad to write")
parser.add_argument("--model", required=True, help="a model's folder, or a checkpoint")
parser.add_argument("--positions", default="", help="position file where the source brings none")
parser.add_argument("--technology", default="", help="of a `grid`: Visium, Spatial Transcriptomics")
parser.add_argument("--predict", action="store_true", help="add every gene's prediction as a layer")
parser.add_argument("--device", default="auto", help="cpu, cuda, or auto: a GPU where one is")
options = vars(parser.parse_args())

logging.basicConfig(level=logging.INFO, format="%(message)s")
logging.captureWarnings(True)
# One thread, as in the workflow: how a matrix product rounds depends on their number.
device = prepare_machine(options.pop("device"), threads=1)
try:
    sample = embed_section(options.pop("source"), output := options.pop("output"),
                           options.pop("model"), device, **options)  # fmt: skip
except (InputError, OSError) as error:
    sys.exit(f"ERROR: {error}")
facts = sample.uns["provenance"]
print(
    f"{output}: {sample.n_obs:,} of {facts['spots_source']:,} spots, "
    f"{facts['genes_panel']:,} of the model's {sample.n_vars:,} genes, "
    f"obsm['X_sagefm'] of {sample.obsm['X_sagefm'].shape[1]} features"
)
