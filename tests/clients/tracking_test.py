#!/usr/bin/env python3
"""Experiments, runs, metrics and searches, as MLflow's client sees them.

    tracking_test.py BUILD-FOLDER
"""

import math
import uuid

import servers
import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from mlflow.store.tracking.rest_store import RestStore


class Experiments(servers.ClientTest):
    def test_one_is_created_renamed_tagged_deleted_and_restored(self):
        made = self.client.create_experiment("first", tags={"team": "blue"})
        self.client.rename_experiment(made, "renamed")
        self.client.set_experiment_tag(made, "note", "good")
        found = self.client.get_experiment_by_name("renamed")
        self.assertEqual((found.experiment_id, found.lifecycle_stage), (made, "active"))
        self.assertEqual(found.tags, {"team": "blue", "note": "good"})
        self.client.delete_experiment(made)
        self.assertEqual(self.client.get_experiment(made).lifecycle_stage, "deleted")
        self.client.restore_experiment(made)
        self.assertEqual(self.client.get_experiment(made).lifecycle_stage, "active")
        self.assertIsNone(self.client.get_experiment_by_name("first"))

    def test_a_search_comes_in_pages_and_leaves_out_deleted_ones(self):
        made = [self.client.create_experiment(f"paged-{i}") for i in range(7)]
        self.client.delete_experiment(made[3])
        names, token = [], None
        while True:
            page = self.client.search_experiments(
                filter_string="name LIKE 'paged-%'", order_by=["name DESC"], max_results=4, page_token=token)
            self.assertLessEqual(len(page), 4)
            names += [each.name for each in page]
            token = page.token
            if not token:
                break
        self.assertEqual(names, [f"paged-{i}" for i in (6, 5, 4, 2, 1, 0)])
        deleted = self.client.search_experiments(view_type=ViewType.DELETED_ONLY, filter_string="name LIKE 'paged-%'")
        self.assertEqual([each.experiment_id for each in deleted], [made[3]])


class Runs(servers.ClientTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.experiment = mlflow.set_experiment("runs").experiment_id

    def test_what_a_run_logs_is_there_afterwards(self):
        with mlflow.start_run(run_name="one") as run:
            mlflow.log_params({"lr": 0.1, "name": "größe"})
            mlflow.log_metrics({"loss": 0.5, "none": math.nan, "all": math.inf, "nothing": -math.inf}, step=3)
            mlflow.set_tags({"note": "ein Wort", "empty": ""})
        stored = self.client.get_run(run.info.run_id)
        self.assertEqual((stored.info.status, stored.info.run_name), ("FINISHED", "one"))
        self.assertGreaterEqual(stored.info.end_time, stored.info.start_time)
        self.assertEqual(stored.data.params, {"lr": "0.1", "name": "größe"})
        self.assertTrue(math.isnan(stored.data.metrics.pop("none")))
        self.assertEqual(stored.data.metrics, {"loss": 0.5, "all": math.inf, "nothing": -math.inf})
        self.assertEqual((stored.data.tags["note"], stored.data.tags["empty"]), ("ein Wort", ""))

    def test_a_run_that_raises_has_failed(self):
        with self.assertRaises(ZeroDivisionError), mlflow.start_run() as run:
            print(1 / 0)
        self.assertEqual(self.client.get_run(run.info.run_id).info.status, "FAILED")

    def test_nested_runs_know_their_parent_and_ended_ones_are_resumed(self):
        with mlflow.start_run() as parent:
            with mlflow.start_run(nested=True) as child:
                mlflow.log_param("a", 1)
        with mlflow.start_run(run_id=child.info.run_id):
            self.assertEqual(self.client.get_run(child.info.run_id).info.status, "RUNNING")
            mlflow.log_param("b", 2)
        self.assertEqual(self.client.get_run(child.info.run_id).data.params, {"a": "1", "b": "2"})
        self.assertEqual(mlflow.get_parent_run(child.info.run_id).info.run_id, parent.info.run_id)

    def test_a_deleted_run_takes_nothing_until_it_is_restored(self):
        run_id = self.client.create_run(self.experiment).info.run_id
        self.client.delete_run(run_id)
        with self.refused("INVALID_PARAMETER_VALUE"):
            self.client.log_metric(run_id, "loss", 1)
        self.client.restore_run(run_id)
        self.client.log_metric(run_id, "loss", 1)
        self.assertEqual(self.client.get_run(run_id).data.metrics, {"loss": 1})

    def test_a_batch_is_stored_whole_and_a_tag_goes_when_it_is_deleted(self):
        run_id = self.client.create_run(self.experiment).info.run_id
        metrics = [Metric(f"m{i}", i, 1000, 0) for i in range(900)]
        params = [Param(f"p{i}", str(i)) for i in range(90)]
        self.client.log_batch(run_id, metrics, params, [RunTag("a", "b"), RunTag("c", "d")])
        self.client.delete_tag(run_id, "a")
        data = self.client.get_run(run_id).data
        self.assertEqual(data.metrics, {each.key: each.value for each in metrics})
        self.assertEqual(data.params, {each.key: each.value for each in params})
        self.assertEqual({key: value for key, value in data.tags.items() if not key.startswith("mlflow.")}, {"c": "d"})

    def test_what_is_logged_in_the_background_arrives(self):
        with mlflow.start_run() as run:
            waiting = [mlflow.log_metric("loss", i, step=i, synchronous=False) for i in range(50)]
            waiting.append(mlflow.log_param("lr", 1, synchronous=False))
            for each in waiting:
                each.wait()
            history = self.client.get_metric_history(run.info.run_id, "loss")
        self.assertEqual(sorted((each.step, each.value) for each in history), [(i, float(i)) for i in range(50)])
        self.assertEqual(self.client.get_run(run.info.run_id).data.params, {"lr": "1"})

    def test_a_dataset_is_an_input_with_its_context(self):
        dataset = Dataset("digits", "d1", "local", '{"uri": "/data"}', schema="[1]", profile="{}")
        run_id = self.client.create_run(self.experiment).info.run_id
        self.client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])
        (stored,) = self.client.get_run(run_id).inputs.dataset_inputs
        self.assertEqual(dict(stored.dataset), dict(dataset))
        self.assertEqual([(tag.key, tag.value) for tag in stored.tags], [("mlflow.data.context", "training")])
        found = self.client.search_runs([self.experiment], "datasets.name = 'digits' AND dataset.context = 'training'")
        self.assertEqual([each.info.run_id for each in found], [run_id])


class Histories(servers.ClientTest):
    POINTS = 3000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_id = cls.client.create_run("0").info.run_id
        points = [Metric("loss", 1 / (i + 1), 1000 + i, i) for i in range(cls.POINTS)]
        for begin in range(0, cls.POINTS, 1000):
            cls.client.log_batch(cls.run_id, metrics=points[begin : begin + 1000])

    def test_a_long_one_comes_whole_and_in_order(self):
        history = self.client.get_metric_history(self.run_id, "loss")
        self.assertEqual([(each.step, each.timestamp, each.value) for each in history],
                         [(i, 1000 + i, 1 / (i + 1)) for i in range(self.POINTS)])

    def test_it_comes_in_pages_of_the_size_asked_for(self):
        store, token, steps = RestStore(lambda: mlflow.utils.rest_utils.MlflowHostCreds(self.server.url)), None, []
        for _ in range(3):
            page = store.get_metric_history(self.run_id, "loss", max_results=1200, page_token=token)
            steps.append(len(page))
            token = page.token
        self.assertEqual((steps, token), ([1200, 1200, 600], None))

    def test_a_sample_has_both_ends_and_no_more_than_asked_for(self):
        store = RestStore(lambda: mlflow.utils.rest_utils.MlflowHostCreds(self.server.url))
        points = store.get_metric_history_bulk_interval(
            run_ids=[self.run_id], metric_key="loss", max_results=100, start_step=None, end_step=None)
        steps = [each.step for each in points]
        self.assertEqual((steps[0], steps[-1], steps), (0, self.POINTS - 1, sorted(set(steps))))
        self.assertTrue(90 <= len(steps) <= 102, len(steps))
        for each in points:
            self.assertEqual((each.run_id, each.value), (self.run_id, 1 / (each.step + 1)))


class Searches(servers.ClientTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.experiment = cls.client.create_experiment("many")
        for i in range(250):
            run = cls.client.create_run(cls.experiment, run_name=f"run-{i:03}", start_time=1000 + i)
            cls.client.log_batch(run.info.run_id, [Metric("loss", (i * 7) % 250, 0, 0)], [Param("parity", "eo"[i % 2])])

    def names(self, **search):
        return [each.info.run_name for each in self.client.search_runs([self.experiment], **search)]

    def test_pages_make_up_the_whole_without_a_run_twice(self):
        seen, token, sizes = [], None, []
        while True:
            page = self.client.search_runs([self.experiment], max_results=100, page_token=token)
            sizes.append(len(page))
            seen += [each.info.run_name for each in page]
            token = page.token
            if not token:
                break
        self.assertEqual(sizes, [100, 100, 50])
        self.assertEqual(seen, [f"run-{i:03}" for i in range(249, -1, -1)])

    def test_a_filter_and_an_order_are_those_of_python(self):
        wanted = sorted((i for i in range(250) if (i * 7) % 250 < 40 and i % 2), key=lambda i: -((i * 7) % 250))
        names = self.names(filter_string="metrics.loss < 40 and params.parity = 'o'", order_by=["metrics.loss DESC"])
        self.assertEqual(names, [f"run-{i:03}" for i in wanted])

    def test_a_table_has_all_of_them(self):
        table = mlflow.search_runs([self.experiment], "attributes.run_name LIKE 'run-1%'", order_by=["run_name"])
        self.assertEqual(list(table["metrics.loss"]), [(i * 7) % 250 for i in range(100, 200)])


class Errors(servers.ClientTest):
    def test_what_is_not_there_is_said_so(self):
        with self.refused("RESOURCE_DOES_NOT_EXIST") as error:
            self.client.get_run(uuid.UUID(int=1).hex)
        self.assertIn(f"Run with id={uuid.UUID(int=1).hex} not found", error.message)
        with self.refused("RESOURCE_DOES_NOT_EXIST"):
            self.client.get_experiment("4711")

    def test_what_is_there_already_is_said_so(self):
        self.client.create_experiment("twice")
        with self.refused("RESOURCE_ALREADY_EXISTS"):
            self.client.create_experiment("twice")

    def test_a_param_keeps_its_value(self):
        run_id = self.client.create_run("0").info.run_id
        self.client.log_param(run_id, "lr", 1)
        with self.refused("INVALID_PARAMETER_VALUE"):
            self.client.log_param(run_id, "lr", 2)
        self.assertEqual(self.client.get_run(run_id).data.params, {"lr": "1"})

    def test_a_bad_filter_is_refused(self):
        with self.refused("INVALID_PARAMETER_VALUE") as error:
            self.client.search_runs(["0"], "metrics.loss ~ 3")
        self.assertIn("filter string", error.message)


if __name__ == "__main__":
    servers.run_tests()
