// Which metrics and params a table of runs shows: "metrics.loss", "params.lr". The address has the last word, then what
// this browser remembers of the experiment, then a guess from the runs that are there:
// params that tell them apart come first.
import { button, h, replace } from "../dom.js";
import { remember } from "../router.js";

const mostShown = 200; // of a run with 100,000 metrics

const storageKey = (experimentId) => `lockstep.columns.${experimentId}`;

export function columnsOf(experimentId, fromAddress) {
  if (fromAddress !== null) return fromAddress.split(",").filter(Boolean);
  const kept = localStorage.getItem(storageKey(experimentId));
  return kept === null ? null : kept.split(",").filter(Boolean);
}

// Names have no commas: MLflow's rules for them.
export function rememberColumns(experimentId, columns) {
  localStorage.setItem(storageKey(experimentId), columns.join(","));
  remember({ columns: columns.join(",") || "," });
}

function keysOf(runs) {
  const metrics = new Set(), params = new Set();
  for (const { data = {} } of runs) {
    for (const each of data.metrics ?? []) metrics.add(each.key);
    for (const each of data.params ?? []) params.add(each.key);
  }
  return { metrics: [...metrics].sort(), params: [...params].sort() };
}

export function guessColumns(runs) {
  const { metrics, params } = keysOf(runs);
  const own = metrics.filter((key) => !key.startsWith("system/")).slice(0, 3);
  const telling = params.filter((key) => new Set(runs.map((run) => paramOf(run, key))).size > 1);
  const first = [...new Set([...telling, ...params])].slice(0, 4);
  return [...own.map((key) => `metrics.${key}`), ...first.map((key) => `params.${key}`)];
}

const paramOf = (run, key) => run.data?.params?.find((each) => each.key === key)?.value;

// Resolves to the list, or to null when the person left it as it was.
export function chooseColumns(runs, shown) {
  const { metrics, params } = keysOf(runs);
  const all = [...new Set([...shown, ...metrics.map((key) => `metrics.${key}`), ...params.map((key) => `params.${key}`)])];
  const chosen = new Set(shown);
  const list = h("div.choices");
  const search = h("input", { type: "search", placeholder: "Name contains…", "aria-label": "Search columns",
                              oninput: () => showList() });
  const showList = () => {
    const found = all.filter((each) => each.toLowerCase().includes(search.value.toLowerCase()));
    replace(list, found.slice(0, mostShown).map((each) => choice(each, chosen)),
            found.length > mostShown && h("p.dim", {}, `and ${found.length - mostShown} more: search for them`));
  };
  showList();
  return new Promise((resolve) => {
    let answer = null;
    const take = () => {
      answer = all.filter((each) => chosen.has(each));
      dialog.close();
    };
    const dialog = h("dialog", { onclose: () => { dialog.remove(); resolve(answer); } },
      h("h2", {}, "Columns"), search, list,
      h("p.actions", {}, button("Show these", take, { class: "primary" }), button("None", () => { chosen.clear(); showList(); }),
        button("Leave", () => dialog.close())));
    document.body.append(dialog);
    dialog.showModal();
    search.focus();
  });
}

function choice(name, chosen) {
  const box = h("input", { type: "checkbox", checked: chosen.has(name), value: name,
                           onchange: () => (box.checked ? chosen.add(name) : chosen.delete(name)) });
  return h("label", {}, box, " ", name);
}
