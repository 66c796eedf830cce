// Several runs side by side: curves over each other, params that differ, metrics, parallel coordinates.
import { job, lockstep } from "../api.js";
import { button, empty, h, replace, section } from "../dom.js";
import { milliseconds, number } from "../format.js";
import { addRun } from "../parts/add_run.js";
import { Curves } from "../parts/curves.js";
import { ParallelCoordinates } from "../parts/parallel.js";
import { poll } from "../parts/poll.js";
import { badge, isOver } from "../parts/status.js";
import { link } from "../router.js";

const most = 50;

export async function comparePage(root, { query }, signal) {
  document.title = "Compare · Lockstep";
  const ids = [...new Set((query.get("runs") ?? "").split(",").filter(Boolean))];
  if (ids.length < 2) return replace(root, empty("Choose two runs or more in an experiment's table, then Compare."));
  const runs = await Promise.all(ids.slice(0, most).map((id) => lockstep.get(job(id), {}, signal)));
  const curves = new Curves(runs.map(drawn), { query, signal });
  replace(root, h("div.bar", {}, h("h1", {}, `Compare ${runs.length} runs`),
      button("Add a run…", () => addRun(ids, runs[0].experiment_name, signal)),
      ids.length > most && h("span.dim", {}, `the first ${most} of ${ids.length}`)),
    curves.element,
    section("Parameters", differences(runs, (run) => run.params, "Parameters are all the same.")),
    section("Last values of metrics", differences(runs, ownMetrics, "No metrics.", number)),
    section("Parallel coordinates", new ParallelCoordinates(runs).element));
  await curves.start();
  if (runs.some((run) => !isOver(run.status))) poll(3, async () => curves.changed(), signal);
}

const drawn = (run) => ({ id: run.name, label: run.display_name || run.name,
                          start: milliseconds(run.start_time ?? run.creation_context.created_at) ?? 0 });

const ownMetrics = (run) => Object.fromEntries(Object.entries(run.metrics).filter(([key]) => !key.startsWith("system/")));

// A row for each key, a column for each run; rows in which all runs agree are hidden until asked for.
function differences(runs, valuesOf, nothing, written = String) {
  const values = runs.map(valuesOf);
  const keys = [...new Set(values.flatMap(Object.keys))].sort();
  const differs = (key) => new Set(values.map((each) => JSON.stringify(each[key]))).size > 1;
  const place = h("div");
  const all = h("input", { type: "checkbox", onchange: () => show() });
  const show = () => {
    const shown = keys.filter((key) => all.checked || differs(key)).slice(0, 500);
    replace(place, shown.length ? tableOf(runs, shown, values, written) : h("p.dim", {}, nothing));
  };
  show();
  return [h("label", {}, all, ` also those in which all agree (${keys.filter((key) => !differs(key)).length})`), place];
}

function tableOf(runs, keys, values, written) {
  return h("div.scroll", {}, h("table.differences", {},
    h("thead", {}, h("tr", {}, h("th"), runs.map((run) => h("th", {},
      h("a", { href: link("run", run.name), title: run.name }, run.display_name || run.name), " ", badge(run.status))))),
    h("tbody", {}, keys.map((key) => h("tr", {}, h("th", {}, key),
      values.map((each) => h("td.value", {}, key in each ? written(each[key]) : h("span.dim", {}, "–"))))))));
}
