// One chart: lines over a common x axis, drawn by uPlot. Dragging asks for a range, a double click for the whole.
import { h, replace } from "../dom.js";
import { duration, number } from "../format.js";
import { colour } from "../theme.js";

const height = 210;

export class Chart {
  // `onRange(from, to)` in the axis' unit; `onReset()`.
  constructor(title, { onRange, onReset }, signal) {
    this.onRange = onRange;
    this.onReset = onReset;
    this.note = h("span.dim");
    this.place = h("div.plot");
    this.element = h("figure.chart", {}, h("figcaption", {}, h("strong", {}, title), " ", this.note), this.place);
    this.plot = null;
    this.last = null;
    const resize = new ResizeObserver(() => this.plot?.setSize({ width: this.width(), height }));
    resize.observe(this.place);
    const redraw = () => { this.shape = ""; if (this.last) this.show(...this.last); };
    document.addEventListener("themechange", redraw, { signal });
    signal.addEventListener("abort", () => { resize.disconnect(); this.plot?.destroy(); }, { once: true });
  }

  width() {
    return Math.max(200, this.place.clientWidth);
  }

  // `lines`: [{label, colour: 0.., xs, ys}], ys finite or null. `options`: {axis, log, smooth, note}
  show(lines, options) {
    this.last = [lines, options];
    this.note.textContent = options.note ?? "";
    const filled = lines.filter((line) => line.xs.length > 0);
    this.element.dataset.points = filled.reduce((sum, line) => sum + line.xs.length, 0);
    if (!filled.length) return this.showNothing();
    const data = tableOf(filled, options);
    const drawn = filled.map((line) => [line.label, line.colour]);
    const shape = JSON.stringify([drawn, options.axis, options.log, options.smooth > 0]);
    if (this.plot && shape === this.shape) return this.plot.setData(data);
    this.plot?.destroy();
    replace(this.place);
    this.shape = shape;
    this.plot = new uPlot(this.settings(filled, options), data, this.place);
  }

  showNothing() {
    this.plot?.destroy();
    this.plot = null;
    replace(this.place, h("p.dim", {}, "No points here yet."));
  }

  settings(lines, { axis, log, smooth }) {
    const thin = { stroke: colour("grid"), width: 1 };
    const ink = { stroke: colour("dim"), grid: thin, ticks: thin, font: "11px system-ui, sans-serif" };
    const isClock = axis === "clock";
    const x = { ...ink, size: 34 };
    if (axis === "time") Object.assign(x, { space: 70, values: (_, all) => all.map((each) => positionText(axis, each)) });
    return {
      width: this.width(), height,
      scales: { x: { time: isClock }, y: log ? { distr: 3 } : {} },
      axes: [x, { ...ink, size: widthOf, values: (_, all) => all.map((each) => (each === null ? null : number(each))) }],
      series: [{ label: axis, value: isClock ? undefined : (_, at) => positionText(axis, at) },
               ...lines.flatMap((line) => seriesOf(line, smooth))],
      cursor: { drag: { x: true, y: false, setScale: false },
                bind: { dblclick: () => () => { this.onReset(); return null; } } },
      hooks: { setSelect: [(plot) => this.take(plot)] },
      legend: { live: true },
    };
  }

  take(plot) {
    const { left, width } = plot.select;
    if (width < 5) return;
    const from = plot.posToVal(left, "x"), to = plot.posToVal(left + width, "x");
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.onRange(from, to);
  }
}

const positionText = (axis, at) => (axis === "time" && at !== null ? duration(at * 1000) : number(at));

// of the axis: as wide as its longest number
const widthOf = (plot, values) => 24 + 7 * Math.max(4, ...(values ?? []).map((each) => (each ?? "").length));

function seriesOf(line, smooth) {
  const stroke = colour(`line-${line.colour % 10}`);
  const isPoint = line.xs.length < 2;
  const value = (_, at) => (at === null || at === undefined ? "–" : number(at));
  const main = { label: line.label, stroke, width: 1.6, value, spanGaps: false, points: isPoint ? { show: true } : {} };
  if (!(smooth > 0)) return [main];
  const raw = { label: `${line.label} (raw)`, stroke: `${stroke}55`, width: 1, value, class: "raw", points: { show: false } };
  return [raw, main];
}

function tableOf(lines, { log, smooth }) {
  const shownOf = (ys) => (log ? ys.map((y) => (y > 0 ? y : null)) : ys);
  const columns = (ys) => (smooth > 0 ? [shownOf(ys), shownOf(smoothed(ys, smooth))] : [shownOf(ys)]);
  return uPlot.join(lines.map(({ xs, ys }) => [xs, ...columns(ys)]));
}

// Exponential moving average, without the pull of its start at 0.
export function smoothed(ys, weight) {
  let sum = 0, mass = 0;
  return ys.map((y) => {
    if (y === null) return null;
    sum = sum * weight + y * (1 - weight);
    mass = mass * weight + (1 - weight);
    return sum / mass;
  });
}
