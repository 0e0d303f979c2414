"""What enters a network of a spot and its neighbours: the layouts of `dense.make_batch`."""

LAYOUTS = {
    "mean": "mean of all {spots}",
    "channels": "centre, and mean of its neighbours",
    "background": "centre, and mean of its neighbours,\nless the section's average spot",
    "subgraphs": "each spot of the graph",
}
"""Names of the layouts, and what each is in a figure; `spots` is filled in.

`mean` is that of the whole neighbourhood, the centre included; `channels` are the centre and the
mean of the others; `background` is the same, and the mean of the section's other spots;
`subgraphs` are all spots of every neighbourhood, with its edges. Neighbours are complete; the
centre is without its hidden genes, and scaled by the depth of the others (`dense.make_batch`).
"""
