// Which metrics are drawn: a list that the store is searched for, since a run may have 100,000.
import { job, lockstep } from "../api.js";
import { h, replace, searchField } from "../dom.js";
import { number } from "../format.js";
import { failure } from "./notice.js";
import { debounced } from "./poll.js";

const asked = 100;
const runsAsked = 8;

const isSystem = (key) => key.startsWith("system/");

export class KeyPicker {
  // `system`: those of the machine (system/...), else all others; `changed(keys)` when the choice did.
  constructor(runs, chosen, { system = false, changed, signal }) {
    Object.assign(this, { runs, chosen: new Set(chosen), system, changed, signal });
    this.list = h("div.choices");
    this.search = searchField("Search metrics…", "Search metrics");
    this.search.addEventListener("input", debounced(0.25, () => this.load()));
    this.element = h("details.keys", {}, h("summary", {}, "Metrics"), this.search, this.list);
  }

  async load() {
    const now = (this.asking = (this.asking ?? 0) + 1);
    try {
      const { metrics, total } = await this.find(this.search.value.trim());
      if (now === this.asking) this.show(metrics, total);
      return total > asked && !this.search.value ? [...(await this.telling()), ...metrics] : metrics;
    } catch (error) {
      if (!this.signal.aborted) replace(this.list, failure(error, () => this.load()));
      return [];
    }
  }

  async find(text) {
    const contains = text || (this.system ? "system/" : undefined);
    const answers = await Promise.all(this.runs.slice(0, runsAsked).map((run) =>
      lockstep.get(`${job(run.id)}/metrics`, { contains, max_results: asked }, this.signal)));
    const metrics = new Map();
    for (const each of answers.flatMap((answer) => answer.metrics))
      if (isSystem(each.key) === this.system) metrics.set(each.key, each);
    return { metrics: [...metrics.values()], total: Math.max(0, ...answers.map((answer) => answer.total)) };
  }

  // Where the first ones by name are not all there is, what most people look for may be further down.
  async telling() {
    if (this.system) return [];
    const found = await Promise.all(["loss", "acc"].map((text) => this.find(text)));
    return found.flatMap(({ metrics }) => metrics);
  }

  show(metrics, total) {
    this.last = [metrics, total];
    const found = new Set(metrics.map((each) => each.key));
    const others = [...this.chosen].filter((key) => !found.has(key)).map((key) => ({ key }));
    const rows = [...others, ...metrics].sort((a, b) => this.chosen.has(b.key) - this.chosen.has(a.key));
    replace(this.list, rows.map((each) => this.choice(each)),
            total > asked && h("p.dim", {}, `${number(total)} in all: search for the others`),
            !rows.length && h("p.dim", {}, "No metric is called so."));
    this.count();
  }

  choice({ key, value }) {
    const box = h("input", { type: "checkbox", checked: this.chosen.has(key), value: key });
    box.addEventListener("change", () => {
      if (box.checked) this.chosen.add(key);
      else this.chosen.delete(key);
      this.count();
      this.changed([...this.chosen]);
    });
    return h("label", {}, box, " ", h("span.key", {}, key), " ", h("span.dim", {}, number(value)));
  }

  choose(keys) {
    this.chosen = new Set(keys);
    if (this.last) this.show(...this.last);
  }

  count() {
    this.element.querySelector("summary").textContent = `Metrics (${this.chosen.size} shown)`;
  }
}

// What a person wants to see first: losses, accuracies, then the others as they come.
export function firstKeys(metrics, most = 4) {
  const rank = (key) => (/loss/i.test(key) ? 0 : /acc|score|auc|f1/i.test(key) ? 1 : /epoch|step|time|^rank-/i.test(key) ? 3 : 2);
  return [...new Set(metrics.map((each) => each.key))].sort((a, b) => rank(a) - rank(b) || a.length - b.length).slice(0, most);
}
