// What is known of a run, beside its curves: why it ended, times, params, tags, history of states.
import { mlflow } from "../api.js";
import { h, replace, section } from "../dom.js";
import { number, time } from "../format.js";
import { badge } from "./status.js";
import { Tags } from "./tags.js";

const most = 200; // rows at once

export class RunFacts {
  constructor(run) {
    const write = (place, values) => mlflow.post(place, { run_id: run.name, ...values });
    this.tags = new Tags({ set: (key, value) => write("runs/set-tag", { key, value }),
                           remove: (key) => write("runs/delete-tag", { key }) });
    this.failure = h("div");
    this.params = h("div");
    this.metrics = h("div");
    this.facts = h("div");
    this.history = h("div");
    this.element = h("div.facts", {}, this.failure, section("Parameters", this.params), section("Tags", this.tags.element),
      section("Last values", this.metrics), section("Facts", this.facts), section("States", this.history));
    this.show(run);
  }

  show(run) {
    const metrics = Object.entries(run.metrics).filter(([key]) => !key.startsWith("system/"));
    renew(this.failure, [run.failure_details, run.reason], () => failureOf(run));
    renew(this.params, run.params, () => pairs(Object.entries(run.params), "No parameters."));
    renew(this.metrics, metrics, () =>
      pairs(metrics.map(([key, value]) => [key, number(value)]), "No metrics.", run.metrics_total));
    renew(this.facts, factsOf(run), () => pairs(factsOf(run)));
    renew(this.history, run.state_history, () => historyOf(run));
    this.tags.show(run.tags);
  }
}

// What did not change stays in its place: somebody may be reading or copying it.
function renew(place, values, make) {
  const now = JSON.stringify(values);
  if (place.shown === now) return;
  place.shown = now;
  replace(place, make());
}

function pairs(entries, nothing = "", total = entries.length) {
  if (!entries.length) return h("p.dim", {}, nothing);
  return [h("table.pairs", {}, h("tbody", {}, entries.slice(0, most).map(([key, value]) =>
            h("tr", {}, h("th", {}, key), h("td.value", {}, value))))),
          entries.length > most && h("p.dim", {}, `and ${number(Math.max(total, entries.length) - most)} more`)];
}

function factsOf(run) {
  return [["Run", run.name], ["Exit code", run.exit_code], ["Signal", run.signal], ["First failed rank", run.first_failed_rank],
          ["Made", time(run.creation_context.created_at)], ["By", run.creation_context.created_by],
          ["Started", time(run.start_time)], ["Ended", time(run.end_time)], ["Compute", run.compute],
          ["Ranks", run.ranks || null], ["Folder", run.supervised ? run.run_folder : null]]
    .filter(([, value]) => value !== null && value !== undefined && value !== "");
}

function failureOf(run) {
  const details = run.failure_details;
  if (!details) return null;
  return h("section.card.failed", {}, h("h2", {}, "Why it failed"), h("p", {}, run.reason ?? ""),
    details.hint && h("p", {}, details.hint),
    details.last_lines?.length > 0 && h("p.dim", {}, `The end of ${details.log}:`),
    details.last_lines?.length > 0 && h("pre.text", {}, details.last_lines.join("\n")));
}

function historyOf(run) {
  return h("ol.history", {}, (run.state_history ?? []).map((each) =>
    h("li", {}, badge(each.status), " ", h("span.dim", {}, time(each.time)), each.reason && h("div", {}, each.reason))));
}
