"""The colours that figures and registries share, readable without matplotlib."""

# The eight colours of Okabe and Ito (2008), https://jfly.uni-koeln.de/color/
OKABE_ITO = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "vermilion": "#D55E00",
    "yellow": "#F0E442",
    "black": "#000000",
}

# The `muted` scheme of Paul Tol, https://personal.sron.nl/~pault/, for what the eight leave over.
TOL_MUTED = {
    "indigo": "#332288",
    "cyan": "#88CCEE",
    "teal": "#44AA99",
    "olive": "#999933",
    "sand": "#DDCC77",
    "rose": "#CC6677",
    "wine": "#882255",
}

GREY = "#8A8A8A"

NEUTRAL = "#3C3C3C"
"""For what belongs to no predictor: references, annotations."""

PREDICTOR_COLOURS = {
    "model": OKABE_ITO["blue"],
    "neighbour_mean": OKABE_ITO["orange"],
    "sample_gene_mean": OKABE_ITO["green"],
    "gene_mean": OKABE_ITO["purple"],
    "gene_mean_depth": "#7A3B69",  # a dark shade of the training mean's
    "zero": OKABE_ITO["black"],
    # Controls that see no gene: greys.
    "visible_depth": "#484848",
    "neighbour_depth": "#707070",
    "random": "#C0C0C0",
}
