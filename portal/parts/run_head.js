// What a run is, how it stands, and what can be done about it.
import { job, lockstep } from "../api.js";
import { button, h, replace } from "../dom.js";
import { duration, milliseconds, time } from "../format.js";
import { link } from "../router.js";
import { addRun } from "./add_run.js";
import { command, quoted } from "./command.js";
import { askFor } from "./dialog.js";
import { attempt } from "./notice.js";
import { badge, isOver } from "./status.js";

export class RunHead {
  constructor(run, signal) {
    this.run = run;
    this.state = h("span.state");
    this.times = h("span.dim");
    this.live = h("span.live", { hidden: true }, "live");
    this.reason = h("p.reason");
    this.cancel = button("Cancel", () => this.askToCancel(), { class: "danger", id: "cancel" });
    this.element = h("div.head", {}, pathOf(run),
      h("div.bar", {}, h("h1", {}, run.display_name || run.name), this.state, this.live, this.times,
        button("Compare with…", () => addRun([run.name], run.experiment_name, signal)), this.cancel),
      this.reason, commandsOf(run));
    this.show(run);
    const ticking = setInterval(() => this.showTimes(), 1000);
    signal.addEventListener("abort", () => clearInterval(ticking), { once: true });
  }

  show(run) {
    this.run = run;
    if (this.state.textContent !== run.status) replace(this.state, badge(run.status));
    this.cancel.hidden = isOver(run.status) || run.status === "CancelRequested";
    if (isOver(run.status)) this.showLive(false);
    this.reason.textContent = run.reason ?? "";
    this.reason.hidden = !run.reason;
    this.showTimes();
  }

  showLive(isLive) {
    this.live.hidden = !isLive;
  }

  showTimes() {
    const start = this.run.start_time ?? this.run.creation_context.created_at;
    const end = milliseconds(this.run.end_time) ?? (isOver(this.run.status) ? null : Date.now());
    const text = `${time(start)}${end === null ? "" : `, ${duration(end - milliseconds(start))}`}`;
    if (this.times.textContent !== text) this.times.textContent = text;
  }

  async askToCancel() {
    const { name, supervised } = this.run;
    const answer = await askFor({ title: `Cancel ${this.run.display_name || name}?`, action: "Cancel the run", danger: true,
      text: supervised ? "Its ranks are asked to stop, and stopped if they don't."
                       : "An MLflow client reports this run: it becomes Canceled in the history, its process goes on.",
      fields: [{ name: "reason", label: "Reason (optional)" }] });
    if (!answer) return;
    await attempt(async () => {
      const { status } = await lockstep.post(`${job(name)}/cancel`, answer.reason ? { reason: answer.reason } : {});
      this.show({ ...this.run, status });
    }, "Asked to stop");
  }
}

function pathOf(run) {
  return h("p.path", {}, h("a", { href: "#/experiments" }, "Experiments"), " / ",
    h("a", { href: link("experiment", run.experiment_id) }, run.experiment_name), " / ",
    run.parent_job_name && [h("a", { href: link("run", run.parent_job_name) }, run.parent_job_name), " / "], run.name);
}

function commandsOf(run) {
  const name = quoted(run.name);
  const address = `${location.origin}/api/v1/${job(run.name)}`;
  return h("details.commands", {}, h("summary", {}, "As a command"), h("ul", {},
    command(`lockstep job show ${name}`, "all that is known of it"),
    run.supervised && command(`lockstep job stream ${name}`, "its logs, and its summary at the end"),
    run.supervised && command(`lockstep job download ${name}`, "its outputs and logs"),
    run.supervised && command(`lockstep job cancel ${name}`, "ask it to stop"),
    command(`lockstep metrics ${name}`, "its metrics"),
    command(`curl -s ${quoted(address)}`, "the same as JSON; with a token: -H \"Authorization: Bearer $TOKEN\"")));
}
