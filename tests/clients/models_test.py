#!/usr/bin/env python3
"""Models that MLflow's client logs, registers, finds and loads.

    models_test.py BUILD-FOLDER
"""

import json

import servers
import mlflow
import mlflow.sklearn
import numpy
from sklearn.linear_model import LogisticRegression

POINTS = numpy.random.default_rng(1).random((60, 3))
LABELS = (POINTS[:, 0] > 0.5).astype(int)
# What a model needs is said, so that MLflow does not start a process to find it out.
NEEDS = {"pip_requirements": ["scikit-learn"]}


class Registry(servers.ClientTest):
    def version_of(self, name, **rest):
        run = self.client.create_run("0")
        source = f"{run.info.artifact_uri}/model"
        return self.client.create_model_version(name, source, run.info.run_id, **rest)

    def test_versions_count_up_and_keep_their_run(self):
        self.client.create_registered_model("counted", tags={"a": "b"}, description="how many")
        versions = [self.version_of("counted", tags={"n": str(i)}) for i in range(3)]
        self.assertEqual([str(each.version) for each in versions], ["1", "2", "3"])
        second = self.client.get_model_version("counted", "2")
        self.assertEqual((second.run_id, second.source, second.tags, second.status),
                         (versions[1].run_id, versions[1].source, {"n": "1"}, "READY"))
        model = self.client.get_registered_model("counted")
        self.assertEqual((model.description, model.tags), ("how many", {"a": "b"}))

    def test_a_stage_has_one_version_if_the_others_are_archived(self):
        self.client.create_registered_model("staged")
        for _ in range(2):
            version = self.version_of("staged").version
            self.client.transition_model_version_stage("staged", version, "Production", archive_existing_versions=True)
        stages = [self.client.get_model_version("staged", n).current_stage for n in "12"]
        self.assertEqual(stages, ["Archived", "Production"])
        (latest,) = self.client.get_latest_versions("staged", ["Production"])
        self.assertEqual(str(latest.version), "2")

    def test_an_alias_moves_and_goes(self):
        self.client.create_registered_model("aliased")
        for _ in range(2):
            version = self.version_of("aliased").version
            self.client.set_registered_model_alias("aliased", "best", version)
        self.assertEqual(str(self.client.get_model_version_by_alias("aliased", "best").version), "2")
        self.assertEqual([self.client.get_model_version("aliased", n).aliases for n in "12"], [[], ["best"]])
        self.client.delete_registered_model_alias("aliased", "best")
        with self.refused("INVALID_PARAMETER_VALUE") as error:
            self.client.get_model_version_by_alias("aliased", "best")
        self.assertIn("best", error.message)

    def test_tags_and_descriptions_are_set_and_deleted(self):
        self.client.create_registered_model("tagged")
        version = self.version_of("tagged").version
        self.client.set_registered_model_tag("tagged", "k", "v")
        self.client.set_model_version_tag("tagged", version, "k", "v")
        self.client.update_registered_model("tagged", "a model")
        self.client.update_model_version("tagged", version, "a version")
        self.client.delete_registered_model_tag("tagged", "k")
        model, version = self.client.get_registered_model("tagged"), self.client.get_model_version("tagged", version)
        self.assertEqual((model.description, model.tags), ("a model", {}))
        self.assertEqual((version.description, version.tags), ("a version", {"k": "v"}))

    def test_a_search_finds_by_name_tag_and_run(self):
        for name in ("found-a", "found-b", "other"):
            self.client.create_registered_model(name, tags={"kind": name[-1]})
        version = self.version_of("found-b")
        self.assertEqual([each.name for each in self.client.search_registered_models("name LIKE 'found%'")],
                         ["found-a", "found-b"])
        self.assertEqual([each.name for each in self.client.search_registered_models("tags.kind = 'a'")], ["found-a"])
        found = self.client.search_model_versions(f"run_id = '{version.run_id}'")
        self.assertEqual([(each.name, str(each.version)) for each in found], [("found-b", "1")])

    def test_renaming_takes_the_versions_along_and_deleting_too(self):
        self.client.create_registered_model("before")
        self.version_of("before")
        self.client.rename_registered_model("before", "after")
        self.assertEqual(self.client.get_model_version("after", "1").name, "after")
        self.version_of("after")
        self.client.delete_model_version("after", "1")
        self.assertEqual([str(each.version) for each in self.client.search_model_versions("name = 'after'")], ["2"])
        self.client.delete_registered_model("after")
        with self.refused("RESOURCE_DOES_NOT_EXIST"):
            self.client.get_registered_model("after")


class Models(servers.ClientTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.experiment = mlflow.set_experiment("models").experiment_id
        cls.fitted = LogisticRegression().fit(POINTS, LABELS)
        with mlflow.start_run() as run:
            mlflow.log_metric("acc", 0.9)
            cls.info = mlflow.sklearn.log_model(cls.fitted, name="net", registered_model_name="registered",
                                                params={"depth": 3}, **NEEDS)
        cls.run_id = run.info.run_id

    def test_a_model_predicts_the_same_when_it_is_loaded_by_each_of_its_names(self):
        self.client.set_registered_model_alias("registered", "champion", "1")
        for name in ("/1", "@champion", "/latest"):
            loaded = mlflow.sklearn.load_model("models:/registered" + name)
            self.assertTrue((loaded.predict(POINTS) == self.fitted.predict(POINTS)).all(), name)
        loaded = mlflow.sklearn.load_model(self.info.model_uri)
        self.assertTrue((loaded.predict(POINTS) == self.fitted.predict(POINTS)).all())

    def test_a_logged_model_knows_its_run_and_the_run_its_model(self):
        model = self.client.get_logged_model(self.info.model_id)
        self.assertEqual((model.name, model.source_run_id, model.status), ("net", self.run_id, "READY"))
        self.assertEqual(model.params, {"depth": "3"})
        outputs = self.client.get_run(self.run_id).outputs.model_outputs
        self.assertEqual([each.model_id for each in outputs], [self.info.model_id])
        # Server and client each add it, as with MLflow's own server.
        versions = {(each["name"], str(each["version"])) for each in json.loads(model.tags["mlflow.modelVersions"])}
        self.assertEqual(versions, {("registered", "1")})

    def test_a_search_of_logged_models_takes_filters(self):
        other = self.client.create_logged_model(self.experiment, name="other", params={"depth": "4"})
        self.client.set_logged_model_tags(other.model_id, {"kind": "small"})

        def found(text):
            models = mlflow.search_logged_models([self.experiment], text, output_format="list")
            return [each.model_id for each in models]

        self.assertCountEqual(found(None), [self.info.model_id, other.model_id])
        self.assertEqual(found("params.depth = '4'"), [other.model_id])
        self.assertEqual(found("tags.kind = 'small'"), [other.model_id])
        self.assertEqual(found("name = 'net'"), [self.info.model_id])
        self.client.delete_logged_model(other.model_id)
        self.assertEqual(found(None), [self.info.model_id])

    def test_autolog_logs_what_scikit_learn_was_given_and_reached(self):
        mlflow.sklearn.autolog(log_models=False)
        self.addCleanup(mlflow.sklearn.autolog, disable=True)
        with mlflow.start_run() as run:
            model = LogisticRegression(C=0.5).fit(POINTS, LABELS)
        data = self.client.get_run(run.info.run_id).data
        self.assertEqual((data.params["C"], data.tags["estimator_name"]), ("0.5", "LogisticRegression"))
        self.assertAlmostEqual(data.metrics["training_score"], model.score(POINTS, LABELS))


if __name__ == "__main__":
    servers.run_tests()
