"""`sagefm finetune`: fine-tune a model on a user's sections."""

from argparse import ArgumentParser

from sagefm.exports.commands.shared import add_groups, add_machine, add_sections

HELP = "fine-tune a model on your own sections"

DESCRIPTION = (
    "Continue the training of a model on sections with raw counts until the loss on held-out "
    "patients stops falling. FOLDER is then a model for the other commands. If training was "
    "interrupted, repeat the command to resume it."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `run`."""
    add_sections(parser)
    parser.add_argument("folder", metavar="FOLDER", help="output folder of the new model")
    add_machine(parser)
    add_groups(parser)
    parser.add_argument(
        "--epochs", type=int, default=50, help="maximum number of epochs (default: 50)"
    )
    parser.add_argument(
        "--patience",
        type=int,
        default=5,
        help="epochs without a lower loss after which training stops (default: 5)",
    )
    parser.add_argument(
        "--learning-rate", type=float, help="learning rate (default: a tenth of the model's own)"
    )
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")


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
    """Fine-tune a model and return a message with its losses before and after."""
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
