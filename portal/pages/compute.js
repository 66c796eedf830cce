import { lockstep } from "../api.js";
import { empty, h, replace } from "../dom.js";
import { bytes } from "../format.js";
import { poll } from "../parts/poll.js";
import { badge } from "../parts/status.js";
import { link } from "../router.js";

export async function computePage(root, place, signal) {
  document.title = "Compute · Lockstep";
  const list = h("div");
  const load = async () => show(list, (await lockstep.get("compute", {}, signal)).compute);
  await load();
  replace(root, h("div.bar", {}, h("h1", {}, "Compute")), list);
  poll(5, load, signal);
}

function show(list, computes) {
  const now = JSON.stringify(computes);
  if (list.dataset.shown === now) return;
  list.dataset.shown = now;
  const none = () => empty("No compute. Runs of this machine make `local`:", "lockstep run job.yml");
  replace(list, computes.length ? computes.map(card) : none());
}

function card(compute) {
  return h("section.card", {}, h("h2", {}, compute.name, " ", badge(compute.state)),
    h("p.dim", {}, `${compute.type}, ${compute.active_jobs} active ${compute.active_jobs === 1 ? "run" : "runs"}`),
    h("div.scroll", {}, h("table", {},
      h("thead", {}, h("tr", {}, ["Node", "State", "CPUs", "Memory", "GPUs", "Runs"].map((each) => h("th", {}, each)))),
      h("tbody", {}, compute.nodes.map(nodeOf)))));
}

function nodeOf(node) {
  return h("tr", {}, h("td", {}, node.name), h("td", {}, node.state), h("td", {}, String(node.cpus)),
    h("td", {}, bytes(node.memory_mb * 1e6)), h("td", {}, String(node.gpus)),
    h("td", {}, node.jobs.map((name) => [h("a", { href: link("run", name) }, name), " "])));
}
