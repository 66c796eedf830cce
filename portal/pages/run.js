// One run: its state above, and below it one of several views. Events of the run keep both up to date.
import { job, lockstep } from "../api.js";
import { h, replace } from "../dom.js";
import { follow } from "../events.js";
import { Artifacts } from "../parts/artifacts.js";
import { Children } from "../parts/children.js";
import { Curves } from "../parts/curves.js";
import { JobFile } from "../parts/job_file.js";
import { Logs } from "../parts/logs.js";
import { failure } from "../parts/notice.js";
import { throttled } from "../parts/poll.js";
import { RunFacts } from "../parts/run_facts.js";
import { RunHead } from "../parts/run_head.js";
import { isOver } from "../parts/status.js";
import { milliseconds } from "../format.js";
import { remember } from "../router.js";

const views = [["overview", "Overview"], ["logs", "Logs"], ["artifacts", "Artifacts"], ["system", "System"],
               ["children", "Children"], ["job", "Job file"]];

export async function runPage(root, { argument, query }, signal) {
  const run = await lockstep.get(job(argument), {}, signal);
  const page = { run, query, signal, head: new RunHead(run, signal), tabs: h("nav.tabs"), place: h("div"),
                 shown: null, made: new Map() };
  replace(root, page.head.element, page.tabs, page.place);
  document.title = `${run.display_name || run.name} · Lockstep`;
  await open(page, query.get("tab") ?? "overview");
  if (!isOver(run.status)) follow(run.name, listeners(page), signal);
}

async function open(page, name) {
  if (!views.some(([each]) => each === name)) name = "overview";
  remember({ tab: name === "overview" ? "" : name });
  replace(page.tabs, views.map(([each, label]) => h("button", { type: "button", class: "tab", "data-tab": each,
    "aria-current": each === name ? "page" : null, onclick: () => open(page, each) }, label)));
  if (!page.made.has(name)) page.made.set(name, make[name](page));
  const view = page.made.get(name);
  page.shown = name;
  replace(page.place, view.element);
  if (view.started) return view.changed?.();
  view.started = true;
  try {
    await view.start?.();
  } catch (error) {
    page.made.delete(name);
    if (!page.signal.aborted && page.shown === name) replace(page.place, failure(error, () => open(page, name)));
  }
}

const make = {
  overview: (page) => overview(page),
  logs: (page) => new Logs(page.run.name, page),
  artifacts: (page) => new Artifacts(page.run, page),
  system: (page) => new Curves([drawn(page.run)], { ...page, query: new URLSearchParams(), system: true }),
  children: (page) => new Children(page.run.name, page),
  job: (page) => new JobFile(page.run, page),
};

function overview(page) {
  const curves = new Curves([drawn(page.run)], page);
  const facts = new RunFacts(page.run);
  return { element: h("div.overview", {}, curves.element, facts.element), curves, facts,
           start: () => curves.start(), changed: () => curves.changed() };
}

const drawn = (run) => ({ id: run.name, label: run.display_name || run.name,
                          start: milliseconds(run.start_time ?? run.creation_context.created_at) ?? 0 });

function listeners(page) {
  const details = throttled(2, async () => {
    const run = await lockstep.get(job(page.run.name), {}, page.signal).catch(() => null); // the next event asks again
    if (run) show(page, run);
  });
  const seen = (name) => (page.shown === name ? page.made.get(name) : null);
  return {
    job: (run) => { page.head.show(run); details(); },
    metrics: () => { details(); seen("overview")?.changed(); seen("system")?.changed(); },
    logs: (logs) => seen("logs")?.told(logs),
    quiet: (isQuiet) => page.head.showLive(!isQuiet),
    end: () => { details(); seen("logs")?.grown(); seen("overview")?.changed(); page.head.showLive(false); },
  };
}

function show(page, run) {
  page.run = run;
  page.head.show(run);
  page.made.get("overview")?.facts.show(run);
}
