// Files of a run or of a logged model as a tree. A level is asked for when it is opened.
import { button, empty, h, replace } from "../dom.js";
import { bytes } from "../format.js";
import { attempt, failure } from "./notice.js";
import { preview } from "./preview.js";

export class ArtifactTree {
  // `source`: {list(path) -> [{path, is_dir, file_size}], address(path), register(folder)}; `place`: where a file is shown.
  constructor(source, place, signal) {
    Object.assign(this, { source, place, signal });
    this.element = h("div.tree");
  }

  async start() {
    const files = await this.source.list("");
    replace(this.element, holdsModel(files) && this.register(""),
      files.length ? this.level(files) : empty("No artifacts yet. What the program writes to ./outputs is here, and:",
                                               "mlflow.log_artifact(\"plot.png\")"));
  }

  level(files) {
    const sorted = [...files].sort((a, b) => b.is_dir - a.is_dir || a.path.localeCompare(b.path));
    return h("ul", {}, sorted.map((file) => h("li", {}, file.is_dir ? this.folder(file) : this.file(file))));
  }

  file(file) {
    const leaf = button([nameOf(file.path), " ", h("span.dim", {}, bytes(file.file_size))], async () => {
      document.querySelector("button.leaf[aria-current]")?.removeAttribute("aria-current");
      leaf.setAttribute("aria-current", "true");
      await preview(this.place, this.source.address(file.path), file, this.signal);
    }, { class: "leaf" });
    return leaf;
  }

  folder(file) {
    const place = h("div", {}, h("p.dim", {}, "Loading…"));
    const details = h("details", {}, h("summary", {}, `${nameOf(file.path)}/`), place);
    details.addEventListener("toggle", () => this.open(file.path, place), { once: true });
    return details;
  }

  async open(path, place) {
    try {
      const files = await this.source.list(path);
      replace(place, holdsModel(files) && this.register(path), files.length ? this.level(files) : h("p.dim", {}, "empty"));
    } catch (error) {
      replace(place, failure(error, () => this.open(path, place)));
    }
  }

  register(path) {
    return button("Register this model", () => attempt(() => this.source.register(path)), { class: "small" });
  }
}

const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);
const holdsModel = (files) => files.some((file) => !file.is_dir && nameOf(file.path) === "MLmodel");
