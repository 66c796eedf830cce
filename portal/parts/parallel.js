// Parallel coordinates: an axis for each chosen param or metric, a line for each run. Numbers have a scale, words have places.
import { h, replace, svg } from "../dom.js";
import { number } from "../format.js";
import { go, link } from "../router.js";

const width = 900, height = 260, margin = { top: 30, bottom: 14, side: 70 };
const firstAxes = 5;

export class ParallelCoordinates {
  constructor(runs) {
    this.runs = runs;
    this.columns = columnsOf(runs);
    this.chosen = new Set(firstOf(this.columns));
    this.place = h("div.scroll");
    const choice = (column) => {
      const box = h("input", { type: "checkbox", checked: this.chosen.has(column.name) });
      box.addEventListener("change", () => {
        if (box.checked) this.chosen.add(column.name);
        else this.chosen.delete(column.name);
        this.draw();
      });
      return h("label", {}, box, " ", column.name);
    };
    const choices = h("div.choices", {}, this.columns.slice(0, 200).map(choice));
    this.element = h("div", {}, h("details", {}, h("summary", {}, "Axes"), choices), this.place);
    this.draw();
  }

  draw() {
    const columns = this.columns.filter((column) => this.chosen.has(column.name));
    const axes = columns.map((column, at) => axisOf(column, at, columns.length));
    if (axes.length < 2) return replace(this.place, h("p.dim", {}, "Choose two axes or more."));
    replace(this.place, svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "parallel", role: "img",
                                     "aria-label": "Parallel coordinates" },
      this.runs.map((run, at) => lineOf(run, at, axes)), axes.map(drawAxis)));
  }
}

function columnsOf(runs) {
  const names = (of) => [...new Set(runs.flatMap((run) => Object.keys(of(run))))].sort();
  const column = (group, key, of) => ({ name: `${group}.${key}`, values: runs.map((run) => of(run)[key]) });
  return [...names((run) => run.params).map((key) => column("params", key, (run) => run.params)),
          ...names((run) => run.metrics).filter((key) => !key.startsWith("system/"))
            .map((key) => column("metrics", key, (run) => run.metrics))];
}

// Those that tell the runs apart: some params, then metrics.
function firstOf(columns) {
  const telling = columns.filter((column) => new Set(column.values).size > 1);
  const params = telling.filter((column) => column.name.startsWith("params.")).slice(0, firstAxes - 2);
  const metrics = telling.filter((column) => column.name.startsWith("metrics.")).slice(0, firstAxes - params.length);
  return [...params, ...metrics].map((column) => column.name);
}

const isShown = (value) => value !== undefined && !["", "NaN", "Infinity", "-Infinity"].includes(value);

function axisOf({ name, values }, at, count) {
  const x = margin.side + (at * (width - 2 * margin.side)) / Math.max(1, count - 1);
  const known = values.filter(isShown);
  const bottom = height - margin.bottom;
  if (known.length && known.every((value) => Number.isFinite(Number(value)))) {
    const numbers = known.map(Number), low = Math.min(...numbers), high = Math.max(...numbers);
    const share = (value) => (high === low ? 0.5 : (Number(value) - low) / (high - low));
    const y = (value) => bottom - share(value) * (bottom - margin.top);
    const marks = low === high ? [low] : [low, (low + high) / 2, high];
    return { name, x, y, values, ticks: marks.map((each) => [each, y(each)]) };
  }
  const words = [...new Set(known.map(String))].sort();
  const y = (value) => margin.top + ((words.indexOf(String(value)) + 0.5) * (bottom - margin.top)) / Math.max(1, words.length);
  return { name, x, y, values, ticks: words.slice(0, 12).map((word) => [word, y(word)]) };
}

function drawAxis({ name, x, ticks }) {
  const short = (text) => (text.length > 16 ? `${text.slice(0, 15)}…` : text);
  return svg("g", {}, svg("line", { x1: x, x2: x, y1: margin.top, y2: height - margin.bottom, class: "axis" }),
    svg("text", { x, y: 14, "text-anchor": "middle", class: "name" }, short(name.slice(name.indexOf(".") + 1)),
        svg("title", {}, name)),
    ticks.map(([value, y]) => svg("text", { x: x + 5, y: y + 4, class: "tick" }, short(number(value)))));
}

function lineOf(run, at, axes) {
  const points = axes.filter((axis) => isShown(axis.values[at]))
    .map((axis) => `${axis.x.toFixed(1)},${axis.y(axis.values[at]).toFixed(1)}`);
  const line = svg("polyline", { points: points.join(" "), class: `line line-${at % 10}` },
                   svg("title", {}, run.display_name || run.name));
  line.addEventListener("click", () => go(link("run", run.name)));
  return line;
}
