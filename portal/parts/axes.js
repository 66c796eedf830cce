// What the x axis of curves may be, and how a point of the API ([step, timestamp_ms, value]) and a range get there and back.
//   step   as it was logged            time   seconds since the run's start
//   clock  seconds since 1970          epoch  from the run's metric "epoch", else from the steps at which epoch_* was logged

export const axes = [["step", "Step"], ["time", "Time"], ["clock", "Clock"], ["epoch", "Epoch"]];
export const apiAxis = (axis) => (axis === "time" || axis === "clock" ? "time" : "step");

// `run`: {start: ms, epochs: [[step, epoch]...] or null}
export function position(axis, run, [step, timestamp]) {
  if (axis === "time") return (timestamp - run.start) / 1000;
  if (axis === "clock") return timestamp / 1000;
  if (axis === "epoch") return run.epochs?.length ? interpolate(run.epochs, step, 0, 1) : null;
  return step;
}

// The range in the unit of the API's axis.
export function apiRange(axis, run, range) {
  if (!range) return {};
  const to = { time: (x) => run.start + x * 1000, clock: (x) => x * 1000, step: (x) => x,
               epoch: (x) => (run.epochs?.length ? interpolate(run.epochs, x, 1, 0) : x) }[axis];
  return { from: Math.floor(to(range.from)), to: Math.ceil(to(range.to)) };
}

// Between known pairs along a line, beyond them along the nearest one's.
export function interpolate(pairs, value, from, to) {
  if (pairs.length === 1) return pairs[0][to];
  let at = pairs.findIndex((pair) => pair[from] >= value);
  if (at < 0) at = pairs.length - 1;
  const [a, b] = [pairs[Math.max(0, at - 1)], pairs[Math.max(1, at)]];
  if (a[from] === b[from]) return b[to];
  return a[to] + ((value - a[from]) / (b[from] - a[from])) * (b[to] - a[to]);
}

// `curve`: of "epoch" (values are epochs) or of a metric that is logged once at the end of each epoch.
export function epochsOf(curve) {
  const points = curve?.points ?? [];
  const pairs = curve?.key === "epoch" ? points.map(([step, , value]) => [step, Number(value)])
                                       : [[0, 0], ...points.map(([step], index) => [step, index + 1])];
  return pairs.filter(([, epoch]) => Number.isFinite(epoch));
}
