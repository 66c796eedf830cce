// A run's state as a word with a colour. The colour says nothing that the word does not.
import { h } from "../dom.js";

const kinds = { Completed: "good", Failed: "bad", Canceled: "off", Running: "on", Finalizing: "on", CancelRequested: "warn",
                NotResponding: "warn", Paused: "wait", Queued: "wait", Preparing: "wait", Starting: "wait",
                Provisioning: "wait", NotStarted: "wait", Succeeded: "good" };
const ofMlflow = { SCHEDULED: "NotStarted", RUNNING: "Running", FINISHED: "Completed", FAILED: "Failed", KILLED: "Canceled" };

export const isOver = (status) => ["Completed", "Failed", "Canceled"].includes(status);
export const fromMlflow = (word) => ofMlflow[word] ?? word;

export function badge(status) {
  return h(`span.badge.${kinds[status] ?? "off"}`, {}, status);
}
