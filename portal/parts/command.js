// A command to copy.
import { button, h } from "../dom.js";
import { notice } from "./notice.js";

export function command(text, meaning) {
  return h("li.command", {}, h("code", {}, text),
    button("Copy", () => copy(text), { class: "small", "aria-label": `Copy: ${text}` }),
    meaning && h("small", {}, meaning));
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    notice("Copied");
  } catch {
    notice("This browser lets only https and localhost pages copy: select the text and press Ctrl-C", "bad");
  }
}

// A word for a POSIX shell.
export function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
