import { button, h } from "./dom.js";
import { go } from "./router.js";
import { nextTheme } from "./theme.js";

const shortcuts = [
  ["/", "to the filter or search field of the page", focusFilter],
  ["?", "this list", showShortcuts],
  ["g e", "experiments", () => go("#/experiments")],
  ["g m", "models", () => go("#/models")],
  ["g c", "compute", () => go("#/compute")],
  ["t", "light, dark, as the system", nextTheme],
];
const always = [["Tab, Enter", "to a row, and into it"], ["Esc", "leaves a field, closes a dialog"],
                ["double click", "on a chart: the whole range again"]];

export function startShortcuts() {
  let first = ""; // of a shortcut of two keys
  document.getElementById("shortcuts").addEventListener("click", showShortcuts);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const found = shortcuts.find(([keys]) => keys === (first ? `${first} ${event.key}` : event.key));
    first = !found && event.key === "g" ? "g" : "";
    if (!found) return;
    event.preventDefault();
    found[2]();
  });
}

function isTyping(element) {
  return element.matches("textarea, select, [contenteditable]") ||
         (element.matches("input") && !["checkbox", "radio", "range"].includes(element.type));
}

function focusFilter() {
  const fields = [...document.querySelectorAll("[data-filter]")];
  const field = fields.find((each) => each.offsetParent !== null);
  field?.focus();
  field?.select();
}

function showShortcuts() {
  const row = ([keys, meaning]) => h("tr", {}, h("td", {}, h("kbd", {}, keys)), h("td", {}, meaning));
  const dialog = h("dialog", { onclose: () => dialog.remove() },
    h("h2", {}, "Shortcuts"), h("table", {}, h("tbody", {}, [...shortcuts, ...always].map(row))),
    h("p.actions", {}, button("Close", () => dialog.close())));
  document.body.append(dialog);
  dialog.showModal();
}
