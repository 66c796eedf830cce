// Curves of one or several runs: a chart for each metric, or all metrics in one. They grow with the run; a range that is
// dragged is fetched again, so that its detail is seen. What is chosen is in the address.
import { job, lockstep } from "../api.js";
import { button, empty, h, replace } from "../dom.js";
import { number } from "../format.js";
import { remember } from "../router.js";
import { apiAxis, apiRange, axes, epochsOf, position } from "./axes.js";
import { Chart } from "./chart.js";
import { KeyPicker, firstKeys } from "./key_picker.js";
import { failure } from "./notice.js";
import { throttled } from "./poll.js";

const mostPoints = 1000;

export class Curves {
  // `runs`: [{id, label, start: ms}]. `system`: the machine's metrics. `query`: the address' values.
  constructor(runs, { query, system = false, signal }) {
    Object.assign(this, { runs, system, signal, range: null, charts: new Map() });
    this.keys = (query.get("keys") ?? "").split(",").filter(Boolean);
    const axis = query.get("axis") ?? (system ? "time" : "step");
    this.axis = axes.some(([each]) => each === axis) ? axis : "step";
    this.remember = system ? () => {} : remember; // the address is of the run's own metrics
    this.log = query.get("log") === "1";
    this.smooth = Math.min(0.99, Math.max(0, Number(query.get("smooth")) || 0));
    this.together = query.get("together") === "1";
    this.grid = h("div.charts");
    this.trouble = h("div");
    this.whole = button("Whole range", () => this.zoom(null), { hidden: true });
    this.picker = new KeyPicker(runs, this.keys, { system, signal, changed: (keys) => this.choose(keys) });
    this.element = h("div.curves", {}, this.bar(), this.picker.element, this.trouble, this.grid);
    this.changed = throttled(1, () => this.refresh());
  }

  bar() {
    const axis = h("select", { "aria-label": "X axis" }, axes.map(([value, label]) =>
      h("option", { value, selected: value === this.axis }, label)));
    axis.addEventListener("change", () => this.set({ axis: axis.value, range: null }));
    const log = h("input", { type: "checkbox", checked: this.log });
    log.addEventListener("change", () => this.set({ log: log.checked }));
    const together = h("input", { type: "checkbox", checked: this.together });
    together.addEventListener("change", () => this.set({ together: together.checked }));
    const smooth = h("input", { type: "range", min: "0", max: "0.99", step: "0.01", value: String(this.smooth),
                                "aria-label": "Smoothing" });
    const weight = h("output", {}, String(this.smooth));
    smooth.addEventListener("input", () => {
      weight.textContent = smooth.value;
      this.smooth = Number(smooth.value);
      this.draw();
    });
    smooth.addEventListener("change", () => this.keep());
    return h("div.bar.small", {}, h("label", {}, "Axis ", axis), h("label", {}, log, " log"),
      h("label", {}, together, " in one chart"), h("label", {}, "Smooth ", smooth, " ", weight), this.whole);
  }

  async start() {
    const metrics = await this.picker.load();
    if (!this.keys.length) this.keys = this.first(metrics);
    this.picker.choose(this.keys);
    await this.refresh();
  }

  first(metrics) {
    return this.system ? metrics.map((each) => each.key).slice(0, 16) : firstKeys(metrics);
  }

  set(values) {
    Object.assign(this, values);
    this.whole.hidden = !this.range;
    this.keep();
    return this.refresh();
  }

  keep() {
    this.remember({ axis: this.axis === "step" ? "" : this.axis, log: this.log ? "1" : "", smooth: this.smooth || "",
               together: this.together ? "1" : "" });
  }

  choose(keys) {
    this.keys = keys;
    this.isPicked = true; // also when none is left
    this.remember({ keys: keys.join(",") });
    return this.refresh();
  }

  zoom(range) {
    return this.set({ range });
  }

  // Fetches what is shown, then draws it. The first metrics of a young run are found here, too.
  async refresh() {
    const now = (this.asking = (this.asking ?? 0) + 1);
    if (!this.keys.length && !this.isFinding && !this.isPicked) return this.findFirst();
    try {
      const found = await Promise.all(this.runs.map((run) => this.fetch(run)));
      if (now !== this.asking || this.signal.aborted) return;
      this.found = found;
      replace(this.trouble);
      this.draw();
    } catch (error) {
      if (!this.signal.aborted) replace(this.trouble, failure(error, () => this.refresh()));
    }
  }

  async findFirst() {
    this.isFinding = true;
    const keys = this.first(await this.picker.load());
    this.keys = keys;
    this.picker.choose(keys);
    if (keys.length) await this.refresh();
    else this.draw();
    this.isFinding = false;
  }

  async fetch(run) {
    if (this.axis === "epoch") run.epochs = await this.epochs(run);
    const { curves } = await lockstep.get(`${job(run.id)}/curves`,
      { key: this.keys, axis: apiAxis(this.axis), ...apiRange(this.axis, run, this.range), max_points: mostPoints }, this.signal);
    return new Map(curves.map((curve) => [curve.key, curve]));
  }

  async epochs(run) {
    const { metrics } = await lockstep.get(`${job(run.id)}/metrics`, { contains: "epoch", max_results: 50 }, this.signal);
    const key = ["epoch", "epoch_train_loss"].find((each) => metrics.some(({ key }) => key === each)) ??
                metrics.find((each) => /^epoch[_/]/.test(each.key))?.key;
    if (!key) return null;
    const { curves } = await lockstep.get(`${job(run.id)}/curves`, { key, axis: "step", max_points: mostPoints },
                                          this.signal);
    return epochsOf(curves[0]);
  }

  draw() {
    if (!this.keys.length) return this.drawNothing();
    if (!this.found) return;
    const groups = this.together ? [["All", this.keys]] : this.keys.map((key) => [key, [key]]);
    const elements = groups.map(([title, keys]) => {
      const chart = this.chartOf(title);
      const { lines, note } = this.linesOf(keys);
      queueMicrotask(() => chart.show(lines, { axis: this.axis, log: this.log, smooth: this.smooth, note }));
      return chart.element;
    });
    if (elements.length !== this.grid.children.length || elements.some((each, at) => each !== this.grid.children[at]))
      replace(this.grid, elements);
  }

  drawNothing() {
    replace(this.grid, this.system
      ? empty("No system metrics: `lockstep run` samples them every 10 s while the program is on. Of other runs:",
              "mlflow.enable_system_metrics_logging()")
      : empty("No metrics yet. In the run's program:", "mlflow.log_metric(\"loss\", loss, step=step)"));
  }

  chartOf(title) {
    if (!this.charts.has(title))
      this.charts.set(title, new Chart(title, { onRange: (from, to) => this.zoom({ from, to }), onReset: () => this.zoom(null) },
                                       this.signal));
    return this.charts.get(title);
  }

  linesOf(keys) {
    const lines = [], notes = new Set();
    this.runs.forEach((run, runAt) => keys.forEach((key) => {
      const curve = this.found[runAt].get(key) ?? { points: [] };
      const line = lineOf(curve, this.axis, run);
      line.label = this.runs.length === 1 ? key : keys.length === 1 ? run.label : `${run.label}: ${key}`;
      line.colour = this.runs.length === 1 ? this.keys.indexOf(key) : keys.length === 1 ? runAt : lines.length;
      if (curve.sampled) notes.add(`extremes of ${number(curve.total)} points`);
      if (line.notFinite.length) notes.add(`${line.notFinite.length} NaN or infinite, first at step ${line.notFinite[0]}`);
      if (this.axis === "epoch" && !run.epochs?.length) notes.add("no metric tells the epochs");
      lines.push(line);
    }));
    return { lines, note: [...notes].join("; ") };
  }
}

// Values that are not finite have no place on an axis: they break the line, and a note tells of them.
function lineOf(curve, axis, run) {
  const points = [], notFinite = [];
  for (const point of curve.points) {
    const x = position(axis, run, point), y = Number(point[2]);
    if (x === null) continue;
    if (!Number.isFinite(y)) notFinite.push(point[0]);
    points.push([x, Number.isFinite(y) ? y : null]);
  }
  points.sort((a, b) => a[0] - b[0]);
  return { xs: points.map(([x]) => x), ys: points.map(([, y]) => y), notFinite };
}
