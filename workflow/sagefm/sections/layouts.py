"""Layouts of `dense.make_batch`: what a network reads of a spot and its neighbours."""

LAYOUTS = {
    "mean": "mean of all {spots}",
    "channels": "centre, and mean of its neighbours",
    "background": "centre, and mean of its neighbours,\nless the section's average spot",
    "subgraphs": "each spot of the graph",
}
"""Names of the layouts, and their descriptions for figures; `spots` is filled in.

`mean` is the mean of the whole neighbourhood, including the centre. `channels` are the centre and
the mean of the others. `background` adds the mean of the section's other spots to these.
`subgraphs` are all spots of every neighbourhood, with its edges. Neighbours are complete. The
centre lacks its hidden genes and is scaled by the depth of the others (`dense.make_batch`)."""
