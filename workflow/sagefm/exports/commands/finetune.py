"""`sagefm finetune`: a model trained further on a user's sections."""

from argparse import ArgumentParser

from sagefm.exports.commands.shared import add_groups, add_machine, add_sections

HELP = "train a model further on your own sections"

DESCRIPTION = (
    "Continue the training of a model on sections of raw counts, until the loss on held-out "
    "patients stops falling. FOLDER is then a model for the other commands. If it is stopped, the "
    "same command continues where it was."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `run`."""
    add_sections(parser)
    parser.add_argument("folder", metavar="FOLDER", help="where the new model is written")
    add_machine(parser)
    add_groups(parser)
    parser.add_argument("--epochs", type=int, default=50, help="most epochs (default: 50)")
    parser.add_argument(
        "--patience",
        type=int,
        default=5,
        help="epochs without a lower loss after which training stops (default: 5)",
    )
    parser.add_argument(
        "--learning-rate", type=float, help="of Adam (default: a tenth of the model's own)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (default: 0)")


def run(
    source: list[str],
    folder: str,
    *,
    model: str,
    device: str,
    library_key: str | None,
    technology: str,
    **options,
) -> str:
    """Train a model further; the sentence that says what it came to."""
    from sagefm.common.io import read_table
    from sagefm.exports.api import load
    from sagefm.exports.finetuned import BEFORE, finetune
    from sagefm.exports.labelled import read_sections
    from sagefm.training.trainer import Preempted

    adata, library_key = read_sections(source, library_key)
    try:
        finetune(
            adata,
            load(model, device=device),
            folder,
            library_key=library_key,
            technology=technology,
            **options,
        )
    except Preempted:
        return "stopped; the state is saved, and the same command continues from it"
    history = read_table(f"{folder}/history.tsv")
    best = history.loc[history["validation_loss"].idxmin()]
    words = f"validation loss {best[BEFORE]:.5f} before, {best['validation_loss']:.5f} after"
    if best["validation_loss"] < best[BEFORE]:
        return f"{folder}: {words}, of epoch {best['epoch']:.0f} of {len(history)}"
    return f"{folder}: {words}: training did not help, and the weights are those of {model}"
