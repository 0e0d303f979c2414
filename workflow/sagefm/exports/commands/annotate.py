"""`sagefm annotate`: label a section with classes learnt from labelled sections."""

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from sagefm.common.errors import InputError
from sagefm.exports.commands.shared import add_groups, add_machine, add_section

if TYPE_CHECKING:
    from sagefm.annotation.reference import Reference
    from sagefm.networks.fitted import FittedModel

HELP = "label the spots of a section from labelled sections"

DESCRIPTION = (
    "Learn classes from labelled sections and label each spot of IN: obs['sagefm_label'], "
    "obs['sagefm_confidence'] and obsm['label_probabilities'] of OUT. Accuracy and calibration on "
    "held-out patients of the labelled sections are printed."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `run`."""
    add_section(parser)
    add_machine(parser)
    parser.add_argument(
        "--reference",
        required=True,
        nargs="+",
        metavar="FILE",
        help="labelled .h5ad files with raw counts (needs --label), or a saved reference (.npz)",
    )
    parser.add_argument("--label", help="column of obs that names the class of labelled spots")
    add_groups(parser)
    parser.add_argument(
        "--confidence",
        type=float,
        default=0.5,
        help="minimum probability of a label; spots below it get none (default: 0.5)",
    )
    parser.add_argument("--save-reference", metavar="NPZ", help="file to save the reference to")


def run(
    source: str,
    output: str,
    model: str,
    device: str,
    *,
    reference: list[str],
    confidence: float,
    positions: str,
    technology: str,
    save_reference: str | None,
    **labelled: str | None,
) -> str:
    """Annotate a section and return a message with the reference's accuracy and the output."""
    from sagefm.common.h5ad import write_h5ad
    from sagefm.common.io import atomic
    from sagefm.exports.annotated import LABEL, annotate
    from sagefm.exports.api import load, read
    from sagefm.exports.section import check_output

    check_output(Path(source), Path(output))
    fitted = load(model, device=device)
    learnt = _reference(fitted, reference, technology, **labelled)
    if save_reference:
        learnt.save(save_reference)
    adata = read(source, fitted, positions=positions, technology=technology)
    annotate(adata, fitted, learnt, confidence=confidence)
    with atomic(output) as temporary:
        write_h5ad(adata, temporary)
    called = adata.obs[LABEL].notna().sum()
    return (
        f"{quality(learnt)}\n{output}: {called:,} of {adata.n_obs:,} spots have a label at a "
        f"confidence of {confidence:g} or more"
    )


def quality(reference: "Reference") -> str:
    """Describe a reference: its scores on held-out spots, and two tables."""
    from sagefm.annotation.reference import HELD_OUT

    facts = reference.facts
    return "\n".join(
        [
            f"reference: {facts['n_spots']:,} spots of {len(reference.classes)} classes, "
            f"{facts['n_sections']} sections, {facts['n_patients']} patients",
            f"measured with {HELD_OUT[facts['protocol']]}: balanced accuracy "
            f"{facts['patient_balanced_accuracy']:.2f} (mean over patients), accuracy "
            f"{facts['accuracy']:.2f}, expected calibration error "
            f"{facts['calibration_error']:.3f} ({facts['calibration_error_before']:.3f} before "
            "calibration)",
            reference.reliability.round(2).to_string(index=False),
            reference.calls.round(2).to_string(index=False),
        ]
    )


def _reference(
    model: "FittedModel",
    files: list[str],
    technology: str,
    *,
    label: str | None,
    patient: str | None,
    library_key: str | None,
) -> "Reference":
    """Load a saved reference, or fit one to labelled sections."""
    from sagefm.annotation.reference import Reference
    from sagefm.exports.annotated import fit_reference
    from sagefm.exports.labelled import read_sections

    if any(file.endswith(".npz") for file in files):
        if len(files) > 1:
            raise InputError(
                "a saved reference is given together with other files. Fix: give it alone, or give "
                "labelled .h5ad files."
            )
        return Reference.load(files[0])
    if label is None:
        raise InputError(
            "labelled sections are given without the column of their labels. Fix: name it as "
            "--label."
        )
    adata, library_key = read_sections(files, library_key)
    return fit_reference(
        adata, model, label, patient=patient, library_key=library_key, technology=technology
    )
