// What an artifact looks like. Its bytes are somebody's: they are shown as text, as a table, or as an image of a blob: URL,
// never as a page.
import { request } from "../api.js";
import { button, h, replace } from "../dom.js";
import { bytes } from "../format.js";
import { csvRows } from "./csv.js";
import { attempt, failure } from "./notice.js";

const mostText = 500_000;
const mostImage = 20_000_000;
const mostRows = 200;
const images = { png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp", bmp: "image/bmp",
                 svg: "image/svg+xml" };

// `file`: {path, file_size}; its bytes are at `address`.
export async function preview(place, address, file, signal) {
  const body = h("div", {}, h("p.dim", {}, "Loading…"));
  replace(place, h("div.bar.small", {}, h("strong", {}, file.path), h("span.dim", {}, bytes(file.file_size)),
    button("Download", () => attempt(() => download(address, file.path)))), body);
  place.shown = address; // until another file is chosen
  try {
    const shown = await contentOf(address, file, signal);
    if (place.shown === address) replace(body, shown);
  } catch (error) {
    if (!signal.aborted && place.shown === address) replace(body, failure(error, () => preview(place, address, file, signal)));
  }
}

async function contentOf(address, file, signal) {
  const kind = file.path.split(".").pop().toLowerCase();
  if (images[kind]) return imageOf(address, file, images[kind], signal);
  const { data, isWhole } = await firstBytes(address, mostText, signal);
  if (data.subarray(0, 4096).includes(0)) return h("p.dim", {}, "Not a text: download it.");
  const text = new TextDecoder().decode(data);
  const cut = !isWhole && h("p.dim", {}, `The first ${bytes(mostText)}.`);
  if (kind === "csv" || kind === "tsv") return [cut, tableOf(csvRows(text, kind === "tsv" ? "\t" : ",", mostRows + 2), isWhole)];
  return [cut, h("pre.text", {}, kind === "json" && isWhole ? prettyJson(text) : text)];
}

async function imageOf(address, file, type, signal) {
  if (file.file_size > mostImage) return h("p.dim", {}, "Too large to be shown here: download it.");
  const data = await (await request(address, { signal, timeout: 60_000 })).arrayBuffer();
  const url = URL.createObjectURL(new Blob([data], { type }));
  signal.addEventListener("abort", () => URL.revokeObjectURL(url), { once: true });
  return h("img", { src: url, alt: file.path });
}

async function firstBytes(address, most, signal) {
  const stop = new AbortController();
  const response = await request(address, { signal: AbortSignal.any([signal, stop.signal]), timeout: 60_000 });
  const reader = response.body.getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return { data: joined(parts, size), isWhole: true };
    parts.push(value);
    size += value.length;
    if (size > most) {
      stop.abort(); // the rest of a checkpoint of 10 GB is not wanted
      return { data: joined(parts, size).subarray(0, most), isWhole: false };
    }
  }
}

function joined(parts, size) {
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function prettyJson(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // not JSON whatever its name says
  }
}

function tableOf(rows, isWhole) {
  const [head = [], ...body] = isWhole ? rows : rows.slice(0, -1); // the last one may be cut
  const shown = body.slice(0, mostRows);
  return [h("div.scroll", {}, h("table", {},
            h("thead", {}, h("tr", {}, head.map((cell) => h("th", {}, cell)))),
            h("tbody", {}, shown.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell))))))),
          body.length > shown.length && h("p.dim", {}, `The first ${mostRows} rows.`)];
}

async function download(address, path) {
  const data = await (await request(address, { timeout: 600_000 })).blob();
  const url = URL.createObjectURL(data);
  const anchor = h("a", { href: url, download: path.split("/").pop() });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
