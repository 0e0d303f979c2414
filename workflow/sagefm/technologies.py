"""Technologies whose arrays are known, by their names in the sheets."""

HEXAGONAL, SQUARE = "Visium", "Spatial Transcriptomics"
