// Another run to lay over those that are shown: one of the experiment's newest, or any whose id is given.
import { lockstep } from "../api.js";
import { go, link } from "../router.js";
import { askFor } from "./dialog.js";

export async function addRun(runs, experimentName, signal) {
  const answer = await lockstep.get("jobs", { experiment_name: experimentName, max_results: 100 }, signal)
    .catch(() => ({ jobs: [] })); // then there are no suggestions
  const choices = answer.jobs.filter((job) => !runs.includes(job.name))
    .map((job) => ({ value: job.name, label: `${job.display_name ?? ""} ${job.status}` }));
  const note = "The newest of this experiment are suggested; any run's id will do.";
  const given = await askFor({ title: "Compare with", action: "Compare",
                               fields: [{ name: "run", label: "Run", required: true, choices, note }] });
  if (given) go(link("compare", undefined, { runs: [...runs, given.run.trim()].join(",") }));
}
