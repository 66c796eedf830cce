// A new version of a registered model, which is made if there is none of that name.
import { mlflow } from "../api.js";
import { go, link } from "../router.js";
import { askFor } from "./dialog.js";
import { attempt } from "./notice.js";

// `model`: {source, runId, modelId}
export async function registerModel(model, signal) {
  const known = await mlflow.get("registered-models/search", { max_results: 100 }, signal).catch(() => ({}));
  const names = (known.registered_models ?? []).map((each) => each.name);
  const answer = await askFor({ title: "Register a model", text: model.source, action: "Register", fields: [
    { name: "name", label: "Name", required: true, choices: names, note: "A known name gets a new version." },
    { name: "description", label: "Description of the version" }] });
  if (!answer) return;
  await attempt(async () => {
    const version = await makeVersion(answer.name.trim(), answer.description, model);
    go(link("model", version.name));
  }, "Registered");
}

async function makeVersion(name, description, { source, runId, modelId }) {
  try {
    await mlflow.post("registered-models/create", { name });
  } catch (error) {
    if (error.code !== "RESOURCE_ALREADY_EXISTS") throw error;
  }
  const { model_version } = await mlflow.post("model-versions/create",
    { name, source, run_id: runId, model_id: modelId, description: description || undefined });
  return model_version;
}
