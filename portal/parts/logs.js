// Logs of a run, read in pieces: the end first, earlier pieces on demand, what is written meanwhile as it comes.
import { deepPath, job, lockstep } from "../api.js";
import { button, empty, h, replace, searchField } from "../dom.js";
import { bytes } from "../format.js";
import { remember } from "../router.js";
import { attempt, failure } from "./notice.js";
import { throttled } from "./poll.js";

const piece = 131_072;
const mostKept = 2_000_000; // characters: beyond them the oldest pieces go from the page

// What a terminal would show: no colour codes, of a line that was written over its last state.
const asShown = (text) => text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replace(/[^\n]*\r(?!\n|$)/g, "");

export class Logs {
  constructor(name, { query, signal }) {
    Object.assign(this, { name, signal, log: query.get("log"), pieces: [], isOver: false });
    this.select = h("select", { "aria-label": "Log", onchange: () => this.open(this.select.value) });
    this.following = h("input", { type: "checkbox", checked: true, onchange: () => this.scroll() });
    this.search = searchField("Search this log…", "Search this log");
    this.matches = h("div.matches");
    this.earlier = button("Earlier", () => attempt(() => this.loadEarlier()), { hidden: true });
    this.latest = button("To the end", () => this.open(this.log), { hidden: true });
    this.size = h("span.dim");
    this.text = h("pre.log", { tabindex: "0", "aria-label": "Text of the log" });
    this.body = h("div", {}, this.matches, h("div.bar.small", {}, this.earlier, this.latest, this.size), this.text);
    const find = (event) => { event.preventDefault(); this.find(); };
    this.search.addEventListener("search", () => { if (!this.search.value) this.find(); }); // its cross
    this.element = h("div", {}, h("form.bar.small", { onsubmit: find, role: "search" }, this.select,
      h("label", {}, this.following, " follow"), this.search, h("button", { type: "submit" }, "Search")), this.body);
    this.grown = throttled(0.5, () => this.update().catch(() => {})); // the next growth asks again
  }

  async start() {
    await this.list();
    if (this.log) await this.open(this.log);
  }

  async list() {
    const { logs } = await lockstep.get(`${job(this.name)}/logs`, {}, this.signal);
    if (!logs.length) {
      replace(this.select, h("option", {}, "no logs"));
      if (!this.log) replace(this.text, "This run has no logs (yet). The ranks of `lockstep run` write them.");
      return;
    }
    if (!logs.some((log) => log.name === this.log)) this.log = logs[0].name;
    replace(this.select, logs.map((log) => h("option", { value: log.name, selected: log.name === this.log },
      `${log.name} (${bytes(log.bytes)})`)));
  }

  place() {
    return `${job(this.name)}/logs/${deepPath(this.log)}`;
  }

  async open(log) {
    this.log = log;
    remember({ log });
    replace(this.matches);
    this.latest.hidden = true;
    await this.read(-piece, () => this.clear());
    this.scroll();
  }

  // What an event said of logs that grew: new ones come with their ranks.
  told(logs) {
    const known = [...this.select.options].map((option) => option.value);
    if (logs.some((log) => !known.includes(log.name))) this.list().catch(() => {}); // the next event asks again
    this.grown();
  }

  // Seen again: what was said of growth meanwhile was not for it.
  changed() {
    this.list().catch(() => {}); // it was listed before
    this.grown();
  }

  clear() {
    this.pieces = [];
    replace(this.text);
  }

  // `before`: what to do once the text is here.
  async read(offset, before) {
    const now = (this.asking = (this.asking ?? 0) + 1);
    try {
      const part = await lockstep.get(this.place(), { offset, limit: piece }, this.signal);
      if (now !== this.asking) return;
      before?.();
      this.add(part, "append");
    } catch (error) {
      if (!this.signal.aborted) replace(this.matches, failure(error, () => this.open(this.log)));
    }
  }

  add({ offset, next_offset, text, bytes: size }, where) {
    if (text) {
      const node = document.createTextNode(asShown(text));
      this.text[where](node);
      const entry = { node, offset, next: next_offset };
      if (where === "append") this.pieces.push(entry);
      else this.pieces.unshift(entry);
    } else if (!this.pieces.length) this.pieces.push({ node: document.createTextNode(""), offset, next: next_offset });
    else if (where === "append") this.pieces.at(-1).next = next_offset;
    this.trim(where);
    this.earlier.hidden = this.pieces[0].offset === 0;
    this.size.textContent = `${bytes(this.pieces.at(-1).next - this.pieces[0].offset)} of ${bytes(size)}`;
    this.bytes = size;
  }

  trim(where) {
    while (where === "append" && this.pieces.length > 1 && this.text.textContent.length > mostKept)
      this.pieces.shift().node.remove();
  }

  async loadEarlier() {
    const first = this.pieces[0].offset;
    const from = Math.max(0, first - piece);
    const part = await lockstep.get(this.place(), { offset: from, limit: first - from }, this.signal);
    const height = this.text.scrollHeight;
    this.following.checked = false;
    this.add(part, "prepend");
    this.text.scrollTop += this.text.scrollHeight - height;
  }

  // The log grew, or may have. Only what follows on the text that is here is added.
  async update() {
    if (!this.log) return this.start();
    if (!this.latest.hidden || this.isUpdating || !this.pieces.length) return;
    this.isUpdating = true;
    try {
      let next;
      do {
        next = this.pieces.at(-1).next;
        await this.read(next);
        this.scroll();
      } while (this.pieces.at(-1).next > next && this.pieces.at(-1).next < this.bytes);
    } finally {
      this.isUpdating = false;
    }
  }

  scroll() {
    if (this.following.checked && this.latest.hidden) this.text.scrollTop = this.text.scrollHeight;
  }

  async find() {
    const text = this.search.value;
    if (!text || !this.log) return replace(this.matches);
    try {
      const { matches, more } = await lockstep.get(`${job(this.name)}/log-search`, { log: this.log, text, max_results: 100 },
                                                   this.signal);
      if (!matches.length) return replace(this.matches, empty(`"${text}" is not in ${this.log}.`));
      replace(this.matches, h("p.dim", {}, `${matches.length}${more ? " first" : ""} lines with "${text}"`),
        h("ol.found", {}, matches.map((match) => h("li", {}, this.found(match)))));
    } catch (error) {
      replace(this.matches, failure(error, () => this.find()));
    }
  }

  found(match) {
    const label = [h("span.dim", {}, `${match.line} `), asShown(match.text).slice(0, 400)];
    return button(label, () => attempt(() => this.show(match)));
  }

  // The found line in the middle of what is around it.
  async show(match) {
    const from = Math.max(0, match.offset - piece / 4);
    const [before, after] = await Promise.all([
      lockstep.get(this.place(), { offset: from, limit: Math.max(1, match.offset - from) }, this.signal),
      lockstep.get(this.place(), { offset: match.offset, limit: piece / 2 }, this.signal)]);
    this.clear();
    this.following.checked = false;
    if (match.offset > 0) this.add(before, "append");
    const end = after.text.indexOf("\n");
    const line = h("mark", {}, asShown(end < 0 ? after.text : after.text.slice(0, end)));
    this.pieces.push({ node: line, offset: match.offset, next: match.offset });
    this.text.append(line);
    this.add({ ...after, text: end < 0 ? "" : after.text.slice(end) }, "append");
    this.latest.hidden = after.next_offset >= after.bytes;
    line.scrollIntoView({ block: "center" });
  }
}
