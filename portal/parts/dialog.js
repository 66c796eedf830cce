// A question with fields. Resolves to {name: value}, or to null when the person left it.
import { button, h } from "../dom.js";

// `fields`: [{name, label, value, required, choices, note}]; choices (texts, or {value, label}) are suggestions:
// any text may be given.
export function askFor({ title, text, fields = [], action = "OK", danger = false }) {
  return new Promise((resolve) => {
    let answer = null;
    const inputs = fields.map((field) => inputOf(field));
    const take = (event) => {
      event.preventDefault();
      answer = Object.fromEntries(fields.map((field, at) => [field.name, inputs[at].input.value]));
      dialog.close();
    };
    const dialog = h("dialog", { onclose: () => { dialog.remove(); resolve(answer); } },
      h("form", { onsubmit: take },
        h("h2", {}, title), text && h("p", {}, text),
        inputs.map((each) => each.row),
        h("p.actions", {},
          h(danger ? "button.danger" : "button.primary", { type: "submit" }, action),
          button("Leave", () => dialog.close()))));
    document.body.append(dialog);
    dialog.showModal();
    (inputs[0]?.input ?? dialog.querySelector("button")).focus();
  });
}

let lists = 0;

const choiceOf = (choice) => h("option", { value: choice.value ?? choice }, choice.label);

function inputOf({ name, label, value = "", required = false, choices, note }) {
  const list = choices && h("datalist", { id: `choices-${++lists}` }, choices.map(choiceOf));
  const input = h("input", { name, value, required, list: list?.id, autocomplete: "off" });
  return { input, row: h("label.field", {}, label, input, list, note && h("small", {}, note)) };
}
