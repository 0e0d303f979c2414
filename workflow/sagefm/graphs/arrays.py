"""Arrays that sections are measured on, by technology."""

HEXAGONAL, SQUARE = "hexagonal", "square"
ARRAYS = {"Visium": HEXAGONAL, "Visium HD": SQUARE, "Spatial Transcriptomics": SQUARE}
"""Array of each technology that has one; of others a sheet gives it."""
