"""The deployment files: they parse, are consistent with each other, and their scripts work."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from soundalike.cli import COMMANDS
from tests.object_store import ObjectStore

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DEPLOY / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_constraints_are_the_versions_of_the_lock_files() -> None:
    done = subprocess.run(
        [sys.executable, str(DEPLOY / "constraints.py")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    names = [line.partition("==")[0].lower() for line in lines]
    assert len(names) == len(set(names)) > 100
    assert {"pylance", "obstore", "ray", "torch", "fastapi"} <= set(names)
    assert not any(text in done.stdout for text in ("--hash", "\\", "://"))


def test_compose_file_and_container_file_are_consistent() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    container = (DEPLOY / "Containerfile").read_text()
    services = compose["services"]
    assert set(services) == {"server", "index", "bucket", "store"}
    for name in ("server", "index", "bucket"):
        assert (ROOT / "deploy" / services[name]["build"]["context"] / services[name]["build"]["dockerfile"]).exists()
        assert services[name]["read_only"]
    assert services["index"]["command"][0] in COMMANDS
    assert '["serve", "--host", "0.0.0.0", "--port", "8765", "--no-browser"]' in container
    assert services["server"]["ports"][0].endswith(":8765")
    assert services["server"]["ports"][0].startswith("127.0.0.1:")
    for image in [services["store"]["image"], *_bases(container)]:
        assert image.rpartition(":")[2] not in (image, "latest")
    wanted = {"ACCESS_KEY", "SECRET_KEY", "TOKEN", "MUSIC", "BUCKET"}
    given = {line.partition("=")[0] for line in (DEPLOY / "env.example").read_text().splitlines() if "=" in line}
    assert given == wanted
    locks = [f"requirements{extra}.lock" for extra in ("", "-dev", "-neural", "-cluster")]
    for copied in (*locks, "deploy/health.py"):
        assert copied in container
        assert (ROOT / copied).exists()


def _bases(container: str) -> list[str]:
    return [line.split()[1] for line in container.splitlines() if line.startswith("FROM ")]


def test_the_ray_cluster_listens_where_its_workers_connect() -> None:
    cluster: dict[str, Any] = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text())
    assert "--head --port=6379" in cluster["head_start_ray_commands"][-1]
    assert "--address=$RAY_HEAD_IP:6379" in cluster["worker_start_ray_commands"][-1]
    assert any("soundalike[cluster]" in command for command in cluster["setup_commands"])


def test_a_server_that_does_not_answer_is_unhealthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_PORT", "1")
    with pytest.raises(SystemExit, match="no answer"):
        _script("health").main()


@pytest.mark.cluster
def test_the_request_for_a_bucket_has_the_same_signature_as_with_botocore(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    script = _script("make_bucket")
    for name, value in object_store.environment().items():
        monkeypatch.setenv(name, value)
    request = script.signed(object_store.url, "some-bucket", "eu-central-1", "key", "secret")
    expected = AWSRequest("PUT", f"{object_store.url}/some-bucket", headers={"X-Amz-Content-SHA256": script.EMPTY})
    expected.context["timestamp"] = request.get_header("X-amz-date")
    auth = S3SigV4Auth(Credentials("key", "secret"), "s3", "eu-central-1")
    expected.headers["X-Amz-Date"] = request.get_header("X-amz-date")
    signature = auth.signature(auth.string_to_sign(expected, auth.canonical_request(expected)), expected)
    assert request.get_header("Authorization").endswith(f"Signature={signature}")
    monkeypatch.setattr(sys, "argv", ["make_bucket.py", "some-bucket"])
    script.main()
    script.main()
    assert object_store.client().head_bucket(Bucket="some-bucket")["ResponseMetadata"]["HTTPStatusCode"] == 200
