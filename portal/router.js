// Places are in the hash: #/run/<id>?tab=logs. One page is mounted at a time; leaving it aborts what it was doing.

export function parse(hash) {
  const [place, search = ""] = splitOnce(hash.replace(/^#\/?/, ""), "?");
  const [name = "", ...rest] = ofMlflow(place).split("/");
  return { name: name || "experiments", argument: decoded(rest.join("/")), query: new URLSearchParams(search) };
}

// Addresses as MLflow's client prints them: #/experiments/1/runs/<id>, #/experiments/1, #/models/<name>/versions/1
function ofMlflow(place) {
  return place.replace(/^experiments\/[^/]+\/runs\/([^/]+).*/, "run/$1").replace(/^experiments\/([^/]+)$/, "experiment/$1")
              .replace(/^models\/([^/]+)(\/versions\/.*)?$/, "model/$1");
}

function splitOnce(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % that a person typed
  }
}

export function link(name, argument, values = {}) {
  const place = argument === undefined ? `#/${name}` : `#/${name}/${encodeURIComponent(argument)}`;
  const search = new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();
  return search ? `${place}?${search}` : place;
}

// Remembers a page's state in the address; it adds nothing to the history of the browser and mounts nothing anew.
export function remember(values) {
  const { query } = parse(location.hash);
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === "") query.delete(key);
    else query.set(key, value);
  }
  const place = location.hash.split("?")[0] || "#/experiments";
  const search = query.toString();
  history.replaceState(null, "", search ? `${place}?${search}` : place);
}

export function go(target) {
  location.hash = target;
}

// `show(place, signal)` mounts a page; the signal is aborted when another one comes.
export function start(show) {
  let left = new AbortController();
  const mount = () => {
    left.abort();
    left = new AbortController();
    show(parse(location.hash), left.signal);
  };
  window.addEventListener("hashchange", mount);
  mount();
}
