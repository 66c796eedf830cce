// Artifacts of a run, and the models that it logged (MLflow 3 keeps those beside the runs); a file is shown beside the trees.
import { deepPath, job, lockstep, mlflow, query } from "../api.js";
import { button, h, replace } from "../dom.js";
import { ArtifactTree } from "./artifact_tree.js";
import { attempt } from "./notice.js";
import { registerModel } from "./register.js";

export class Artifacts {
  constructor(run, { signal }) {
    Object.assign(this, { run, signal });
    this.trees = h("div");
    this.preview = h("div.preview", {}, h("p.dim", {}, "Choose a file."));
    this.element = h("div.split", {}, this.trees, this.preview);
  }

  async start() {
    const models = await this.loggedModels();
    const own = this.tree(ofRun(this.run, this.signal));
    const others = models.map((model) => [model, this.tree(ofModel(model, this.signal))]);
    await Promise.all([own, ...others.map(([, tree]) => tree)].map((tree) => tree.start()));
    replace(this.trees, lookAgain(this), own.element, others.map(([model, tree]) =>
      [h("h3", {}, `Logged model ${model.name}`), h("p.dim", {}, model.model_id), tree.element]));
  }

  tree(source) {
    return new ArtifactTree(source, this.preview, this.signal);
  }

  async loggedModels() {
    const { models = [] } = await mlflow.post("logged-models/search",
      { experiment_ids: [this.run.experiment_id], filter: `source_run_id = '${this.run.name}'` }, this.signal);
    return models.map((model) => model.info);
  }
}

function lookAgain(view) {
  return h("div.bar.small", {}, button("Look again", () => attempt(() => view.start()), { class: "small" }));
}

function ofRun({ name }, signal) {
  return {
    list: async (path) => (await lockstep.get(`${job(name)}/artifacts`, { path }, signal)).files,
    address: (path) => `/api/v1/${job(name)}/artifacts/${deepPath(path)}`,
    register: async (path) => {
      const { run } = await mlflow.get("runs/get", { run_id: name }, signal);
      const root = run.info.artifact_uri;
      await registerModel({ source: path ? `${root}/${path}` : root, runId: name }, signal);
    },
  };
}

function ofModel(model, signal) {
  const place = `logged-models/${encodeURIComponent(model.model_id)}/artifacts`;
  return {
    list: async (path) => (await mlflow.get(`${place}/directories`, { artifact_directory_path: path }, signal)).files ?? [],
    address: (path) => `/ajax-api/2.0/mlflow/${place}/files${query({ artifact_file_path: path })}`,
    register: (path) => registerModel({ source: path ? `${model.artifact_uri}/${path}` : model.artifact_uri,
                                        runId: model.source_run_id, modelId: model.model_id }, signal),
  };
}
