// The runs of an experiment. Filter, order and columns are in the address; the server does the filtering and ordering.
import { ApiError, lockstep, mlflow } from "../api.js";
import { button, empty, h, replace, searchField } from "../dom.js";
import { number } from "../format.js";
import { chooseColumns, columnsOf, rememberColumns } from "../parts/columns.js";
import { failure } from "../parts/notice.js";
import { poll } from "../parts/poll.js";
import { runTable } from "../parts/run_table.js";
import { go, link, remember } from "../router.js";

const pageSize = 50;

export async function runsPage(root, { argument, query }, signal) {
  const { experiment } = await mlflow.get("experiments/get", { experiment_id: argument }, signal);
  document.title = `${experiment.name} · Lockstep`;
  const view = { experiment, signal, filter: query.get("filter") ?? "", sort: query.get("sort") ?? "", runs: [], next: null,
                 selected: new Set(), states: new Map(), columns: columnsOf(argument, query.get("columns")),
                 error: h("div"), table: h("div"), count: h("span.dim"), again: null };
  replace(root, headOf(view), view.error, view.table);
  await load(view);
  poll(4, () => refresh(view), signal);
}

function headOf(view) {
  const filter = searchField("metrics.loss < 0.5 AND params.lr = '0.1'", "Filter of runs",
                             { class: "wide", value: view.filter, spellcheck: "false" });
  const apply = (event) => {
    event.preventDefault();
    view.filter = filter.value.trim();
    remember({ filter: view.filter });
    load(view);
  };
  filter.addEventListener("search", (event) => { if (!filter.value) apply(event); }); // the cross that clears the field
  view.compare = button("Compare", () => go(link("compare", undefined, { runs: [...view.selected].join(",") })),
                        { disabled: true });
  return [h("p.path", {}, h("a", { href: "#/experiments" }, "Experiments"), " / "),
          h("div.bar", {}, h("h1", {}, view.experiment.name), view.count),
          h("form.bar", { onsubmit: apply, role: "search" }, filter, h("button", { type: "submit" }, "Filter"),
            button("Columns", () => pickColumns(view)), view.compare)];
}

function search(view, pageToken) {
  return mlflow.post("runs/search", { experiment_ids: [view.experiment.experiment_id], filter: view.filter || undefined,
                                      max_results: pageSize, page_token: pageToken,
                                      order_by: view.sort ? [view.sort] : undefined }, view.signal);
}

async function load(view) {
  const asked = (view.asked = (view.asked ?? 0) + 1);
  view.table.setAttribute("aria-busy", "true");
  try {
    const [answer] = await Promise.all([search(view), findStates(view)]);
    if (asked !== view.asked) return;
    view.runs = answer.runs ?? [];
    view.next = answer.next_page_token ?? null;
    replace(view.error);
    show(view);
  } catch (error) {
    if (view.signal.aborted || asked !== view.asked) return;
    replace(view.error, error.code === "INVALID_PARAMETER_VALUE" ? grammarError(error) : failure(error, () => load(view)));
  } finally {
    view.table.removeAttribute("aria-busy");
  }
}

function grammarError(error) {
  return h("div.failure.filter-error", { role: "alert" }, error.message,
    h("p.dim", {}, "Clauses are joined by AND: ", h("code", {}, "metrics.loss < 0.5"), ", ",
      h("code", {}, "params.optimizer = 'adam'"), ", ", h("code", {}, "tags.note LIKE '%first%'"), ", ",
      h("code", {}, "attributes.status = 'FINISHED'"), ". Names with blanks or slashes stand in backticks."));
}

// MLflow's API knows five states; what an active run really does is asked here, with one request.
async function findStates(view) {
  const wanted = { experiment_name: view.experiment.name, active: true, max_results: 100 };
  const answer = await lockstep.get("jobs", wanted, view.signal)
    .catch((error) => { if (error instanceof ApiError) return { jobs: [] }; throw error; });
  view.states = new Map(answer.jobs.map((job) => [job.name, job.status]));
}

async function append(view) {
  const asked = view.asked;
  const answer = await search(view, view.next);
  if (asked !== view.asked) return; // another filter or order meanwhile
  view.runs.push(...(answer.runs ?? []));
  view.next = answer.next_page_token ?? null;
  show(view);
}

// The first page again: new runs come on top, known ones get their new values, what was loaded further down stays.
async function refresh(view) {
  const asked = view.asked;
  const [answer] = await Promise.all([search(view), findStates(view)]);
  if (asked !== view.asked) return;
  const first = answer.runs ?? [];
  const known = new Set(first.map((run) => run.info.run_id));
  const isOnePage = view.runs.length <= pageSize;
  const runs = isOnePage ? first : [...first, ...view.runs.filter((run) => !known.has(run.info.run_id))];
  const now = JSON.stringify([first, [...view.states]]);
  if (now === view.shown) return;
  view.shown = now;
  view.runs = runs;
  if (isOnePage) view.next = answer.next_page_token ?? null;
  show(view);
}

function show(view) {
  view.count.textContent = `${number(view.runs.length)}${view.next ? " newest loaded, more in the store" : " runs"}`;
  if (view.sort && view.next) view.count.textContent = `${view.runs.length} first loaded, more in the store`;
  if (!view.runs.length) return replace(view.table, nothing(view));
  const focused = document.activeElement?.dataset?.run;
  const more = view.next && button(`Load ${pageSize} more`, async (event) => {
    event.target.disabled = true;
    await append(view).catch((error) => replace(view.error, failure(error, () => append(view))));
  }, { class: "more" });
  replace(view.table, runTable(view, { sortBy: (sort) => sortBy(view, sort), selected: () => showSelection(view) }), more);
  showSelection(view);
  if (focused) view.table.querySelector(`[data-run="${CSS.escape(focused)}"]`)?.focus();
}

function nothing(view) {
  if (view.filter) return empty("No run matches this filter.");
  return h("div", {}, empty("No runs yet. A job file makes one:", "lockstep run job.yml"),
    empty("Or an MLflow client:", `MLFLOW_TRACKING_URI=${location.origin} python -c "import mlflow; mlflow.start_run()"`));
}

function showSelection(view) {
  view.compare.disabled = view.selected.size < 2;
  view.compare.textContent = view.selected.size ? `Compare ${view.selected.size}` : "Compare";
}

function sortBy(view, sort) {
  view.sort = sort;
  remember({ sort });
  load(view);
}

async function pickColumns(view) {
  const chosen = await chooseColumns(view.runs, view.columns ?? []);
  if (!chosen) return;
  view.columns = chosen;
  rememberColumns(view.experiment.experiment_id, chosen);
  show(view);
}
