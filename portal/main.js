import { lockstep } from "./api.js";
import { empty, h, replace } from "./dom.js";
import { start } from "./router.js";
import { startShortcuts } from "./shortcuts.js";
import { startTheme } from "./theme.js";
import { failure } from "./parts/notice.js";
import { comparePage } from "./pages/compare.js";
import { computePage } from "./pages/compute.js";
import { experimentsPage } from "./pages/experiments.js";
import { modelPage } from "./pages/model.js";
import { modelsPage } from "./pages/models.js";
import { runPage } from "./pages/run.js";
import { runsPage } from "./pages/runs.js";

const pages = { experiments: experimentsPage, experiment: runsPage, run: runPage, compare: comparePage,
                models: modelsPage, model: modelPage, compute: computePage };
const within = { experiment: "experiments", run: "experiments", compare: "experiments", model: "models" };

async function show(place, signal) {
  const page = document.getElementById("page");
  markPlace(within[place.name] ?? place.name);
  const root = h("div");
  replace(page, root);
  document.title = "Lockstep";
  const make = pages[place.name];
  if (!make) return replace(root, empty(`There is no page "${place.name}". The places are in the line above.`));
  replace(root, h("p.loading", {}, "Loading…"));
  try {
    await make(root, place, signal);
  } catch (error) {
    if (!signal.aborted) replace(root, failure(error, () => show(place, signal)));
  }
}

function markPlace(name) {
  for (const each of document.querySelectorAll("header nav a")) {
    if (each.dataset.place === name) each.setAttribute("aria-current", "page");
    else each.removeAttribute("aria-current");
  }
}

async function showWorkspace() {
  const workspace = await lockstep.get("workspace");
  const place = document.getElementById("workspace");
  place.textContent = workspace.name;
  place.title = `${workspace.root}, lockstep ${workspace.version}`;
}

// a plain jump to #page would be taken for a place
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("page").focus();
});
startTheme();
startShortcuts();
start(show);
showWorkspace().catch(() => {}); // an ornament: the page says what is wrong
