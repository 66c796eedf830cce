#!/usr/bin/env python3
"""Files that MLflow's client logs, lists, fetches and deletes.

    artifacts_test.py BUILD-FOLDER
"""

import hashlib
import os
import pathlib
import random
import tempfile
from unittest import mock

import servers
from mlflow.artifacts import download_artifacts, list_artifacts, load_dict, load_image, load_text
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository

MIB = 1024 * 1024


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class Artifacts(servers.ClientTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.run_id = self.client.create_run("0").info.run_id

    def write(self, name, size):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(random.Random(name).randbytes(size))
        return path

    def uri(self, path):
        return f"runs:/{self.run_id}/{path}"

    def in_workspace(self, name):
        return list(self.server.workspace.rglob(name))

    def test_text_dicts_and_figures_come_back_as_they_were(self):
        from matplotlib import pyplot

        figure, axes = pyplot.subplots()
        axes.plot([1, 2, 3])
        self.client.log_text(self.run_id, "grün\n", "notes/größe 1.txt")
        self.client.log_dict(self.run_id, {"a": [1, 2]}, "d.json")
        self.client.log_figure(self.run_id, figure, "plots/fig.png")
        self.assertEqual(load_text(self.uri("notes/größe 1.txt")), "grün\n")
        self.assertEqual(load_dict(self.uri("d.json")), {"a": [1, 2]})
        self.assertEqual(load_image(self.uri("plots/fig.png")).size, figure.canvas.get_width_height())
        pyplot.close(figure)

    def test_a_folder_is_listed_level_by_level_and_comes_back_whole(self):
        sizes = {"a.bin": 10, "deep/b.bin": 0, "deep/er/c.bin": 3}
        written = {name: digest(self.write(f"tree/{name}", size)) for name, size in sizes.items()}
        self.client.log_artifacts(self.run_id, self.folder / "tree", "tree")
        listed = list_artifacts(run_id=self.run_id, artifact_path="tree")
        self.assertEqual([(each.path, each.is_dir, each.file_size) for each in listed],
                         [("tree/a.bin", False, 10), ("tree/deep", True, None)])
        fetched = pathlib.Path(download_artifacts(self.uri("tree"), dst_path=self.folder / "back"))
        self.assertEqual({str(path.relative_to(fetched)): digest(path) for path in fetched.rglob("*.bin")}, written)

    def test_a_file_of_20_mb_is_the_same_byte_for_byte_on_the_server_and_back(self):
        big = self.write("big.bin", 20 * MIB + 1)
        self.client.log_artifact(self.run_id, big)
        (stored,) = self.in_workspace("big.bin")
        fetched = download_artifacts(run_id=self.run_id, artifact_path="big.bin", dst_path=self.folder / "back")
        self.assertEqual([digest(stored), digest(fetched)], [digest(big)] * 2)

    def test_an_upload_in_parts_makes_one_file_and_leaves_none_of_its_parts(self):
        parted = self.write("parted.bin", 11 * MIB + 7)
        settings = {"MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true", "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": str(5 * MIB),
                    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": str(5 * MIB)}
        create = HttpArtifactRepository.create_multipart_upload
        with mock.patch.dict(os.environ, settings), mock.patch.object(
            HttpArtifactRepository, "create_multipart_upload", autospec=True, side_effect=create) as upload:
            self.client.log_artifact(self.run_id, str(parted), "in/parts")
        self.assertEqual(upload.call_count, 1)
        (stored,) = self.in_workspace("parted.bin")
        self.assertEqual(digest(stored), digest(parted))
        left = [path for folder in ("uploads", "multipart") for path in (self.server.workspace / folder).rglob("*")
                if path.is_file() and path.suffix != ".lock"]  # the server's, while it lives
        self.assertEqual(left, [])

    def test_what_is_deleted_is_gone_and_the_rest_is_there(self):
        for name in ("keep.txt", "gone/a.txt", "gone/b.txt"):
            self.client.log_text(self.run_id, name, name)
        get_artifact_repository(self.client.get_run(self.run_id).info.artifact_uri).delete_artifacts("gone")
        self.assertEqual([each.path for each in self.client.list_artifacts(self.run_id)], ["keep.txt"])

    def test_what_is_not_there_is_an_error(self):
        from mlflow.exceptions import MlflowException

        with self.assertRaises((MlflowException, OSError)):
            load_text(self.uri("absent.txt"))
        self.assertEqual(self.client.list_artifacts(self.run_id, "absent"), [])


if __name__ == "__main__":
    servers.run_tests()
