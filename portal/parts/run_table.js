// The table of runs: each row is a link, each heading orders by its column.
import { h } from "../dom.js";
import { ago, duration, number, time } from "../format.js";
import { link } from "../router.js";
import { guessColumns } from "./columns.js";
import { badge, fromMlflow } from "./status.js";

// `view`: {runs, columns, sort, selected: Set of ids, states: Map of id to state}
export function runTable(view, { sortBy, selected }) {
  view.columns ??= guessColumns(view.runs);
  const all = h("input", { type: "checkbox", "aria-label": "Select all that are loaded",
                           checked: view.runs.every((run) => view.selected.has(run.info.run_id)) });
  const boxes = [];
  all.addEventListener("change", () => {
    for (const box of boxes) if (box.checked !== all.checked) box.click();
  });
  const heading = (label, field, extra) => headingOf(label, field, view.sort, sortBy, extra);
  return h("div.scroll", {}, h("table.rows.runs", {},
    h("thead", {}, h("tr", {}, h("th.check", {}, all), heading("Name", "attributes.run_name"),
      heading("State", "attributes.status"), heading("Started", "attributes.start_time"), h("th", {}, "Duration"),
      view.columns.map((column) => columnHeading(column, heading)))),
    h("tbody", {}, view.runs.map((run) => rowOf(run, view, boxes, selected)))));
}

function columnHeading(column, heading) {
  const at = column.indexOf(".");
  const group = column.slice(0, at), key = column.slice(at + 1);
  return heading(key, `${group}.\`${key}\``, group === "metrics" ? "number" : "");
}

function headingOf(label, field, sort, sortBy, extra = "") {
  const now = sort === `${field} ASC` ? "ascending" : sort === `${field} DESC` ? "descending" : null;
  const next = now === "ascending" ? `${field} DESC` : now === "descending" ? "" : `${field} ASC`;
  const mark = { ascending: " ▲", descending: " ▼" }[now] ?? "";
  return h("th", { class: extra, "aria-sort": now ?? "none" },
    h("button", { type: "button", class: "heading", onclick: () => sortBy(next), title: `Order by ${label}` }, label, mark));
}

function rowOf(run, view, boxes, selected) {
  const { info, data = {} } = run;
  const id = info.run_id;
  const box = h("input", { type: "checkbox", checked: view.selected.has(id), "aria-label": `Select ${info.run_name || id}` });
  box.addEventListener("change", () => {
    if (box.checked) view.selected.add(id);
    else view.selected.delete(id);
    selected();
  });
  boxes.push(box);
  const end = info.end_time ? Number(info.end_time) : Date.now();
  return h("tr", {}, h("td.check", {}, box),
    h("td.name", {}, h("a.row", { href: link("run", id), "data-run": id, title: id }, info.run_name || id)),
    h("td", {}, badge(view.states.get(id) ?? fromMlflow(info.status))),
    h("td", { title: time(info.start_time) }, ago(info.start_time)),
    h("td", {}, info.start_time ? duration(end - Number(info.start_time)) : ""),
    cellsOf(data, view.columns));
}

function cellsOf(data, columns) {
  const metrics = new Map((data.metrics ?? []).map((each) => [each.key, each.value]));
  const params = new Map((data.params ?? []).map((each) => [each.key, each.value]));
  return columns.map((column) => {
    const key = column.slice(column.indexOf(".") + 1);
    return column.startsWith("metrics.") ? h("td.number", {}, number(metrics.get(key)))
                                         : h("td.value", { title: params.get(key) ?? "" }, params.get(key) ?? "");
  });
}
