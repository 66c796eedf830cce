import { lockstep } from "../api.js";
import { button, empty, h, replace, searchField } from "../dom.js";
import { ago, number, time } from "../format.js";
import { debounced, poll } from "../parts/poll.js";
import { failure } from "../parts/notice.js";
import { link, remember } from "../router.js";

const pageSize = 100;
const mostAsked = 10_000; // of the API: beyond it one searches

export async function experimentsPage(root, { query }, signal) {
  document.title = "Experiments · Lockstep";
  const view = { text: query.get("name") ?? "", most: pageSize, root: h("div"), count: h("span.dim"), signal };
  const search = searchField("Name contains…", "Search experiments by name", { value: view.text });
  search.addEventListener("input", debounced(0.25, () => {
    view.text = search.value;
    view.most = pageSize;
    remember({ name: view.text });
    load(view);
  }));
  replace(root, h("div.bar", {}, h("h1", {}, "Experiments"), search, view.count), view.root);
  await load(view);
  poll(5, () => ask(view), signal);
}

async function load(view) {
  try {
    await ask(view);
  } catch (error) {
    if (!view.signal.aborted) replace(view.root, failure(error, () => load(view)));
  }
}

async function ask(view) {
  const asked = (view.asked = (view.asked ?? 0) + 1);
  const answer = await lockstep.get("experiments", { contains: view.text, max_results: view.most }, view.signal);
  const now = JSON.stringify(answer);
  if (asked !== view.asked || now === view.shown) return; // typed on meanwhile, or nothing new
  view.shown = now;
  show(view, answer);
}

function show(view, { experiments, total }) {
  view.count.textContent = total > experiments.length ? `${experiments.length} of ${number(total)}, newest activity first` : "";
  if (!experiments.length)
    return replace(view.root, view.text ? empty(`No experiment's name contains "${view.text}".`)
                                        : empty("No experiments yet. A run makes its own:", "lockstep run job.yml"));
  const focused = document.activeElement?.dataset?.experiment;
  const more = experiments.length < total && view.most < mostAsked && button(`Show ${pageSize} more`, () => {
    view.most += pageSize;
    load(view);
  }, { class: "more" });
  replace(view.root, h("div.scroll", {}, h("table.rows", {}, h("thead", {}, h("tr", {}, h("th", {}, "Name"),
    h("th.number", {}, "Runs"), h("th.number", {}, "Active"), h("th", {}, "Newest activity"))),
    h("tbody", {}, experiments.map(rowOf)))), more);
  if (focused) view.root.querySelector(`[data-experiment="${CSS.escape(focused)}"]`)?.focus();
}

function rowOf(experiment) {
  const { experiment_id: id, name, runs, active_runs: active, last_start_time: last } = experiment;
  return h("tr", {},
    h("td.name", {}, h("a.row", { href: link("experiment", id), "data-experiment": id }, name)),
    h("td.number", {}, number(runs)), h("td.number", {}, active ? h("span.badge.on", {}, number(active)) : ""),
    h("td", { title: time(last) }, last ? ago(last) : h("span.dim", {}, "no runs")));
}
