// A run's events (server-sent), read with fetch() so that they carry the token. A broken stream is opened again, later and
// later; while there is none the run is asked for instead, so a page goes on where streams can't pass a proxy. A page that
// nobody sees holds no stream: browsers open six connections to a server and no more, for all of its pages together.
import { job, lockstep, request } from "./api.js";
import { isOver } from "./parts/status.js";

const silence = 45_000; // the server says ": alive" more often than that
const longestWait = 5_000; // so it is polled each 5 s where there never is a stream

// `on`: {job(JOB), metrics(), logs(), end(), quiet(bool)}: quiet(true) when there is no stream.
export async function follow(name, on, signal) {
  let wait = 1000;
  while (!signal.aborted) {
    await untilSeen(signal);
    try {
      const ended = await readStream(name, on, signal, () => (wait = 1000));
      if (ended) return on.end?.();
    } catch {
      if (signal.aborted) return;
    }
    if (document.visibilityState === "hidden") continue;
    on.quiet?.(true);
    await pause(wait, signal);
    wait = Math.min(wait * 2, longestWait);
    if (!signal.aborted && (await askOnce(name, on, signal))) return on.end?.();
  }
}

// True when the server said that all was said.
async function readStream(name, on, signal, opened) {
  const stalled = new AbortController();
  const stop = AbortSignal.any([signal, stalled.signal]);
  let watch = setTimeout(() => stalled.abort(), silence);
  const hide = () => { if (document.visibilityState === "hidden") stalled.abort(); };
  document.addEventListener("visibilitychange", hide);
  try {
    const response = await request(`/api/v1/${job(name)}/events`, { signal: stop, timeout: 0 });
    on.quiet?.(false);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return false;
      opened();
      clearTimeout(watch);
      watch = setTimeout(() => stalled.abort(), silence);
      const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) if (deliver(eventOf(block), on)) return true;
    }
  } finally {
    clearTimeout(watch);
    document.removeEventListener("visibilitychange", hide);
    stalled.abort();
  }
}

function untilSeen(signal) {
  return new Promise((resolve) => {
    const look = () => {
      if (document.visibilityState === "hidden" && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look, { once: true });
    look();
  });
}

export function eventOf(block) {
  const event = { type: "message", data: "" };
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) event.type = line.slice(6).trim();
    if (line.startsWith("data:")) event.data += line.slice(5).trim();
  }
  return event;
}

function deliver({ type, data }, on) {
  if (type === "job") on.job?.(JSON.parse(data));
  if (type === "metrics") on.metrics?.();
  if (type === "logs") on.logs?.(JSON.parse(data).logs ?? []);
  return type === "end";
}

async function askOnce(name, on, signal) {
  try {
    const run = await lockstep.get(job(name), {}, signal);
    on.job?.(run);
    on.metrics?.();
    on.logs?.([]);
    return isOver(run.status);
  } catch {
    return false; // the next try will tell
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
