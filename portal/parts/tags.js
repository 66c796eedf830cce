// Tags, to be edited. Whose tags they are is the caller's: `set(key, value)` and `remove(key)` write them to the store.
import { button, h, replace } from "../dom.js";
import { askFor } from "./dialog.js";
import { attempt } from "./notice.js";

export class Tags {
  constructor({ set, remove }) {
    Object.assign(this, { set, remove, tags: {} });
    this.element = h("div.tags");
  }

  show(tags) {
    const now = JSON.stringify(tags);
    if (now === this.shown) return;
    this.shown = now;
    this.tags = { ...tags };
    const names = Object.keys(tags).sort();
    replace(this.element,
      names.length > 0 && h("table.pairs", {}, h("tbody", {}, names.map((name) => this.row(name, tags[name])))),
      !names.length && h("p.dim", {}, "No tags."),
      button("Add a tag", () => this.edit("", ""), { class: "small" }));
  }

  row(name, value) {
    return h("tr", {}, h("th", {}, name), h("td.value", {}, value),
      h("td.do", {}, button("Edit", () => this.edit(name, value), { class: "small", "aria-label": `Edit tag ${name}` }),
        button("×", () => this.drop(name), { class: "small", "aria-label": `Delete tag ${name}` })));
  }

  async edit(name, value) {
    const fields = [{ name: "value", label: "Value", value }];
    if (!name) fields.unshift({ name: "key", label: "Name", required: true });
    const answer = await askFor({ title: name ? `Tag ${name}` : "Add a tag", action: "Save", fields });
    if (!answer) return;
    const key = name || answer.key.trim();
    if (await attempt(() => this.set(key, answer.value), "Saved")) this.show({ ...this.tags, [key]: answer.value });
  }

  async drop(name) {
    const answer = await askFor({ title: `Delete tag ${name}?`, action: "Delete", danger: true });
    if (!answer || !(await attempt(() => this.remove(name), "Deleted"))) return;
    const { [name]: _, ...others } = this.tags;
    this.show(others);
  }
}
