// The job file as it was submitted.
import { job, lockstep } from "../api.js";
import { empty, h, replace } from "../dom.js";

export class JobFile {
  constructor(run, { signal }) {
    Object.assign(this, { run, signal });
    this.element = h("div");
  }

  async start() {
    if (!this.run.supervised) return replace(this.element, empty("An MLflow client reports this run: it has no job file."));
    const text = await lockstep.text(`${job(this.run.name)}/job-file`, this.signal);
    replace(this.element, h("pre.text", {}, text));
  }
}
