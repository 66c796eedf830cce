import { mlflow } from "../api.js";
import { button, empty, h, replace, searchField } from "../dom.js";
import { ago, time } from "../format.js";
import { debounced } from "../parts/poll.js";
import { attempt, failure } from "../parts/notice.js";
import { link, remember } from "../router.js";

const pageSize = 100;

export async function modelsPage(root, { query }, signal) {
  document.title = "Models · Lockstep";
  const view = { text: query.get("name") ?? "", root: h("div"), signal };
  const search = searchField("Name contains…", "Search models by name", { value: view.text });
  search.addEventListener("input", debounced(0.25, () => {
    view.text = search.value;
    remember({ name: view.text });
    load(view);
  }));
  replace(root, h("div.bar", {}, h("h1", {}, "Models"), search), view.root);
  await load(view);
}

// MLflow's grammar has no way to write a quote inside of a text, so one that has both kinds is searched as its front part.
function nameFilter(text) {
  if (!text) return undefined;
  const part = text.includes("'") && text.includes('"') ? text.split(/["']/)[0] : text;
  return part.includes("'") ? `name ILIKE "%${part}%"` : `name ILIKE '%${part}%'`;
}

function page(view, pageToken) {
  return mlflow.get("registered-models/search", { filter: nameFilter(view.text), max_results: pageSize, page_token: pageToken },
                    view.signal);
}

async function load(view) {
  const asked = (view.asked = (view.asked ?? 0) + 1);
  try {
    const answer = await page(view);
    if (asked === view.asked) show(view, answer);
  } catch (error) {
    if (!view.signal.aborted && asked === view.asked) replace(view.root, failure(error, () => load(view)));
  }
}

function show(view, answer) {
  const models = answer.registered_models ?? [];
  if (!models.length)
    return replace(view.root, view.text ? empty(`No model's name contains "${view.text}".`)
      : empty("No models yet. Register one from a run's artifacts, or in its program:",
              "mlflow.sklearn.log_model(model, name=\"model\", registered_model_name=\"NAME\")"));
  const body = h("tbody", {}, models.map(rowOf));
  let next = answer.next_page_token;
  const more = button(`Show ${pageSize} more`, () => attempt(async () => {
    const further = await page(view, next);
    body.append(...(further.registered_models ?? []).map(rowOf));
    next = further.next_page_token;
    more.hidden = !next;
  }), { hidden: !next });
  replace(view.root, h("div.scroll", {}, h("table.rows", {},
    h("thead", {}, h("tr", {}, ["Name", "Latest version", "Aliases", "Changed", "Description"].map((each) => h("th", {}, each)))),
    body)), more);
}

function rowOf(model) {
  const latest = Math.max(0, ...(model.latest_versions ?? []).map((each) => Number(each.version)));
  const aliases = (model.aliases ?? []).map((each) => h("span.chip", {}, `@${each.alias} → ${each.version}`));
  return h("tr", {}, h("td.name", {}, h("a.row", { href: link("model", model.name) }, model.name)),
    h("td", {}, latest ? String(latest) : ""), h("td", {}, aliases),
    h("td", { title: time(model.last_updated_timestamp) }, ago(model.last_updated_timestamp)),
    h("td.value", {}, model.description ?? ""));
}
