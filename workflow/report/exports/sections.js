// Draws what the controls choose: fills the source of spots from the store, for one section.
const shown = (window.sagefm_shown ??= {});
// As many panels in a row as fit, one on a phone; they fill it.
const fit = () => {
  const room = document.documentElement.clientWidth - 16;
  const widest = room / Math.max(1, Math.floor(room / 340));
  const frame = Math.min(420, Math.floor(widest) - beside - 8);
  for (const plot of Object.values(plots)) plot.setv({ frame_width: frame, frame_height: frame });
};
if (shown.section === undefined) {
  fit();
  window.addEventListener("resize", fit);
  // A finger on a map scrolls the page; the map moves once its tool is chosen.
  if (window.matchMedia("(pointer: coarse)").matches) {
    for (const plot of Object.values(plots)) {
      for (const tool of plot.toolbar.tools.filter((one) => one.type === "PanTool")) tool.active = false;
    }
  }
}
const own = facts.sections.find((one) => one.name === section.value);
const [from, to] = [own.start, own.stop];
const column = (name) => store.data[name];
const part = (name) => Array.from(column(name).slice(from, to));
const n = to - from;
const chosen = typeof model === "undefined" ? "-" : model.value;
const blank = (value) => Array(n).fill(value);
const coded = (name, classes) => {
  if (column(name) === undefined) return [blank("-"), blank(facts.grey)];
  const codes = part(name);
  const of = (i, j, other) => (codes[i] === facts.none ? other : classes[codes[i]][j]);
  return [codes.map((_, i) => of(i, 0, "-")), codes.map((_, i) => of(i, 1, "#DDDDDD"))];
};
const [label, label_colour] = coded("label", facts.classes["label"]);
const numbers = facts.cluster_colours.map((colour, i) => [String(i), colour]);
const many = Array.from({ length: 255 }, (_, i) => [String(i), numbers[i % numbers.length][1]]);
const [cluster, cluster_colour] = coded(`cluster|${chosen}`, many);
const asked = typeof task === "undefined" ? "" : task.value;
const classes = facts.classes[asked];
const [truth] = coded(`truth|${asked}`, classes);
const key = `${asked}|${chosen}`;
const [predicted_class, class_colour] = coded(`class|${key}`, classes);
const outline = truth.map((name, i) =>
  name !== "-" && predicted_class[i] !== "-" && name !== predicted_class[i] ? "#000000" : null);
const chance = column(`probability|${key}`) === undefined ? blank(0) : part(`probability|${key}`);
const top = facts.genes[gene.value];
const value = (kind) => part(`${kind}|${gene.value}`).map((step) => (step / 255) * top);
// An output that is 0 everywhere, whatever is set, is drawn grey: it cannot respond.
const perturbed = typeof pair === "undefined" ? "" : pair.value;
const size = perturbed ? facts.responses[perturbed] : 0;
const response = size ? part(`response|${perturbed}`) : blank(NaN);
const layout = (axis) => {
  const name = `umap_${axis}|${chosen}`;
  return column(name) === undefined ? blank(NaN) : part(name);
};
spots.data = {
  x: part("x"), y: part("y"), u: layout("x"), v: layout("y"), spot: facts.spots.slice(from, to),
  label, label_colour, cluster, cluster_colour, truth, predicted_class, class_colour, outline,
  radius: blank(own.radius), umap_radius: blank(0), probability: chance, measured: value("measured"), predicted: value("predicted"), response,
};
spots.selected.indices = [];
// The same length for both axes, so that the tissue keeps its shape.
const frame = (plot, xs, ys, margin) => {
  const ends = [xs, ys].map((all) => {
    const some = all.filter((one) => !Number.isNaN(one));
    return some.length ? [Math.min(...some), Math.max(...some)] : [0, 1];
  });
  const half = (0.52 * Math.max(...ends.map(([low, high]) => high - low)) + margin) || 1;
  [plot.x_range, plot.y_range].forEach((range, axis) => {
    const middle = (ends[axis][0] + ends[axis][1]) / 2;
    range.setv({ start: middle - half, end: middle + half, reset_start: middle - half, reset_end: middle + half });
  });
};
if (shown.section !== own.name) frame(plots.measured, spots.data.x, spots.data.y, 1.5 * own.radius);
shown.section = own.name;
if (plots.umap) {
  frame(plots.umap, spots.data.u, spots.data.v, 0);
  const side = plots.umap.x_range.end - plots.umap.x_range.start;
  spots.data = { ...spots.data, umap_radius: blank(side / 90) };
}
const picture = own.picture;
pictures.data = picture === null
  ? { url: [], x: [], y: [], w: [], h: [] }
  : { url: [picture.url], x: [picture.x], y: [picture.y], w: [picture.w], h: [picture.h] };
mapper.high = top;
change.setv({ low: -(size || 1), high: size || 1 });
const named = facts.names[chosen] ?? chosen;
const entitle = (panel, text) => { if (plots[panel]) plots[panel].title.text = text; };
entitle("cluster", `Clusters of ${named}`);
entitle("class", `Class predicted by ${named}`);
plots.measured.title.text = `${gene.value}, measured`;
const constant = new Set(part(`predicted|${gene.value}`)).size === 1;
plots.predicted.title.text = `${gene.value}, predicted`
  + (constant ? ": the same everywhere" : ` by ${facts.predictor}`);
if (perturbed) {
  plots.response.title.text = size ? `Change of ${perturbed}` : `${perturbed}: cannot respond`;
}
entitle("umap", `UMAP of ${named}, by label`);
const wrong = outline.filter((line) => line !== null).length;
const known = truth.filter((name, i) => name !== "-" && predicted_class[i] !== "-").length;
const is_labelled = (one) => (facts.classes["label"] ?? []).some(([name, colour]) =>
  name === one[0] && colour === one[1]);
const legends = (classes ?? []).every(is_labelled)
  ? [[classes === undefined ? "Label" : "Label and class", facts.classes["label"]]]
  : [["Label", facts.classes["label"]], ["Class", classes]];
const safe = (name) => name.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
units.text = [
  `Section ${own.name}${own.patient ? `, patient ${own.patient}` : ""}: ${n.toLocaleString("en")} spots.`,
  known ? `Outlined spots are assigned to a wrong class: ${wrong} of ${known}.`
    : asked ? "This representation predicts no class here." : "",
  picture === null ? "This section has no image." : "",
  perturbed ? `Change: expression of the second gene that ${facts.predictor} predicts with the first gene `
    + "at its highest level in all neighbours, minus that at its lowest (log scale; white: no change)." : "",
  own.pitch ? "" : "The technology is unknown: lengths are in distances between neighbouring spots.",
].join(" ") + legends
  .filter(([, all]) => all !== undefined)
  .map(([title, all]) => `<p><b>${title}</b> ` + all.map(([name, colour]) =>
    `<span style="white-space: nowrap"><span style="color: ${colour}">\u25CF</span> ${safe(name)}</span>`
  ).join(" &nbsp; ") + "</p>").join("");
