"""SAGE-FM for spatial transcriptomics: cohorts, graphs, the model, the claims."""

__version__ = "0.1.0"
