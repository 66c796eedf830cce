// The runs below a run, each level when it is opened.
import { job, lockstep } from "../api.js";
import { button, empty, h, replace } from "../dom.js";
import { duration } from "../format.js";
import { link } from "../router.js";
import { attempt, failure } from "./notice.js";
import { badge } from "./status.js";

export class Children {
  constructor(name, { signal }) {
    Object.assign(this, { name, signal });
    this.element = h("div.tree.children");
  }

  async start() {
    const jobs = await this.below(this.name);
    const again = button("Look again", () => attempt(() => this.start()), { class: "small" });
    replace(this.element, h("div.bar.small", {}, again),
      jobs.length ? this.level(jobs) : empty("No children. Nested runs are here:", "mlflow.start_run(nested=True)"));
  }

  async below(name) {
    return (await lockstep.get(`${job(name)}/children`, {}, this.signal)).jobs;
  }

  level(jobs) {
    return h("ul", {}, jobs.map((each) => h("li", {}, this.node(each))));
  }

  node(child) {
    const place = h("div", {}, h("p.dim", {}, "Loading…"));
    const details = h("details", {}, h("summary", {},
      h("a", { href: link("run", child.name) }, child.display_name || child.name), " ", badge(child.status), " ",
      h("span.dim", {}, duration(child.duration_ms))), place);
    details.addEventListener("toggle", () => this.open(child.name, place), { once: true });
    return details;
  }

  async open(name, place) {
    try {
      const jobs = await this.below(name);
      replace(place, jobs.length ? this.level(jobs) : h("p.dim", {}, "no children"));
    } catch (error) {
      replace(place, failure(error, () => this.open(name, place)));
    }
  }
}
