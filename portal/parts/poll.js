// Asks again while somebody looks, until the signal is aborted: `seconds` after the last answer, and later where an answer
// takes long, so that no page keeps a server busy.
export function poll(seconds, again, signal) {
  let timer = setTimeout(step, seconds * 1000);
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  async function step() {
    const asked = performance.now();
    if (document.visibilityState === "visible") await again().catch(() => {}); // the next one may succeed
    if (!signal.aborted) timer = setTimeout(step, Math.max(seconds * 1000, 10 * (performance.now() - asked)));
  }
}

// Calls `action` at most once each `seconds`, the last time after the last call.
export function throttled(seconds, action) {
  let timer = null;
  let last = -Infinity;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      last = performance.now();
      action();
    }, Math.max(0, last + seconds * 1000 - performance.now()));
  };
}

export function debounced(seconds, action) {
  let timer = null;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), seconds * 1000);
  };
}
