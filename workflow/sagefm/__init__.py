"""SAGE-FM for spatial transcriptomics: embed, predict and perturb sections with a trained model.

Public functions are loaded on first use, so importing the package is quick.
"""

from importlib import import_module

__version__ = "0.1.0"

_MODULES = {
    "annotate": "annotated",
    "domains": "domained",
    "embed": "api",
    "finetune": "finetuned",
    "fit_reference": "annotated",
    "load": "api",
    "perturb": "perturbed",
    "predict": "api",
    "programme_sets": "programmes",
    "programmes": "programmes",
    "read": "api",
    "score_embedding": "scored",
}
"""Module of `sagefm.exports` that holds each public function."""

__all__ = list(_MODULES)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module `sagefm` has no attribute `{name}`")
    return getattr(import_module(f"sagefm.exports.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
