// A registered model and its versions: stages, aliases, tags, the run that each came from.
import { mlflow } from "../api.js";
import { button, empty, h, replace, section } from "../dom.js";
import { time } from "../format.js";
import { askFor } from "../parts/dialog.js";
import { attempt } from "../parts/notice.js";
import { Tags } from "../parts/tags.js";
import { link } from "../router.js";

const stages = ["None", "Staging", "Production", "Archived"];

export async function modelPage(root, { argument }, signal) {
  document.title = `${argument} · Lockstep`;
  const view = { name: argument, root, signal };
  await load(view);
}

async function load(view) {
  const { name, signal } = view;
  const [{ registered_model: model }, { model_versions: versions = [] }] = await Promise.all([
    mlflow.get("registered-models/get", { name }, signal),
    mlflow.get("model-versions/search", { filter: named(name), max_results: 1000 }, signal)]);
  const tags = new Tags({ set: (key, value) => mlflow.post("registered-models/set-tag", { name, key, value }),
                          remove: (key) => mlflow.delete("registered-models/delete-tag", { name, key }) });
  tags.show(Object.fromEntries((model.tags ?? []).map((each) => [each.key, each.value])));
  versions.sort((a, b) => Number(b.version) - Number(a.version));
  replace(view.root, h("p.path", {}, h("a", { href: "#/models" }, "Models"), " / "),
    h("div.bar", {}, h("h1", {}, name)), model.description && h("p", {}, model.description),
    section("Tags", tags.element),
    section("Versions", versions.map((version) => versionOf(view, model, version)),
            !versions.length && empty("No versions yet.")));
}

const named = (name) => (name.includes("'") ? `name = "${name}"` : `name = '${name}'`);

function versionOf(view, model, version) {
  const mine = { name: view.name, version: version.version };
  const tags = new Tags({ set: (key, value) => mlflow.post("model-versions/set-tag", { ...mine, key, value }),
                          remove: (key) => mlflow.delete("model-versions/delete-tag", { ...mine, key }) });
  tags.show(Object.fromEntries((version.tags ?? []).map((each) => [each.key, each.value])));
  const stage = h("select", { "aria-label": `Stage of version ${version.version}` },
    stages.map((each) => h("option", { value: each, selected: each === version.current_stage }, each)));
  stage.addEventListener("change", () => change(view, () => mlflow.post("model-versions/transition-stage",
    { ...mine, stage: stage.value, archive_existing_versions: false })));
  const aliases = (model.aliases ?? []).filter((each) => String(each.version) === String(version.version));
  return h("article.version", { "data-version": version.version },
    h("div.bar.small", {}, h("h3", {}, `Version ${version.version}`), h("label", {}, "Stage ", stage),
      aliases.map((each) => aliasOf(view, each)), button("Add an alias", () => addAlias(view, mine), { class: "small" })),
    h("p", {}, h("span.dim", {}, `${time(version.creation_timestamp)}, ${version.status ?? ""} `), version.description ?? ""),
    h("p", {}, version.run_id ? ["From run ", h("a", { href: link("run", version.run_id, { tab: "artifacts" }) }, version.run_id)]
                              : "Of no run", ", ", h("code", {}, version.source ?? "")),
    tags.element);
}

function aliasOf(view, { alias }) {
  const drop = () => change(view, () => mlflow.delete("registered-models/alias", { name: view.name, alias }));
  return h("span.chip", {}, `@${alias} `, button("×", drop, { class: "small", "aria-label": `Delete alias ${alias}` }));
}

async function addAlias(view, version) {
  const note = "models:/NAME@ALIAS. It leaves the version that has it now.";
  const answer = await askFor({ title: `An alias of version ${version.version}`, action: "Save",
                                fields: [{ name: "alias", label: "Alias", required: true, note }] });
  if (answer) await change(view, () => mlflow.post("registered-models/alias", { ...version, alias: answer.alias.trim() }));
}

async function change(view, action) {
  await attempt(action, "Saved");
  await attempt(() => load(view)); // also when it failed: the page shows what is
}
