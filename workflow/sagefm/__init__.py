"""SAGE-FM for spatial transcriptomics: cohorts, graphs, the model, its exact fast path, the claims."""

__version__ = "0.1.0"
