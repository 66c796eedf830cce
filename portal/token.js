// The access token of this tab, and the question for one.
import { h, button } from "./dom.js";

const key = "lockstep.token";
let question = null; // one at a time, however many calls were refused

export const token = () => sessionStorage.getItem(key);

// Resolves to true when there is a new token to try, to false when the person declined.
export function askForToken(why) {
  question ??= ask(why).finally(() => (question = null));
  return question;
}

function ask(why) {
  return new Promise((resolve) => {
    const field = h("input", { type: "password", name: "token", required: true, autocomplete: "off",
                               "aria-label": "Token" });
    const take = (event) => {
      event.preventDefault();
      sessionStorage.setItem(key, field.value.trim());
      dialog.close("taken");
    };
    const dialog = h("dialog.token", {},
      h("form", { onsubmit: take },
        h("h2", {}, "A token is needed"),
        h("p", {}, why),
        h("p", {}, "On the workspace's machine, ", h("code", {}, "lockstep token create"),
          " makes one; with ", h("code", {}, "--scope read"), " it can look and change nothing."),
        field,
        h("p.actions", {}, h("button.primary", { type: "submit" }, "Use this token"),
          button("Not now", () => dialog.close()))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "taken");
    });
    document.body.append(dialog);
    dialog.showModal();
    field.focus();
  });
}
