// What went wrong, and what to do: in a page's place, or as a note at its edge.
import { button, h } from "../dom.js";

export function failure(error, retry) {
  return h("div.failure", { role: "alert" },
    h("strong", {}, error.code ? `${error.code}: ` : "Error: "), error.message,
    retry && h("p", {}, button("Try again", retry)));
}

export function notice(text, kind = "good") {
  const note = h(`div.notice.${kind}`, { role: kind === "bad" ? "alert" : "status" }, text,
    button("×", () => note.remove(), { "aria-label": "Close this note" }));
  document.getElementById("notices").append(note);
  setTimeout(() => note.remove(), kind === "bad" ? 15_000 : 5_000);
}

// For buttons: does it, and says so if it fails. True if it was done.
export async function attempt(action, done) {
  try {
    await action();
    if (done) notice(done);
    return true;
  } catch (error) {
    notice(error.message, "bad");
    return false;
  }
}
