"""The files that put a cluster together, held against schemas and against the program itself."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray
import yaml
from ray.scripts.scripts import start as ray_start

from cluster.cli import app
from cluster.platform.environment import INHERITED, OWN_NODE_ONLY
from cluster.platform.page import PACKAGED
from cluster.settings import SECRETS, Settings

_ROOT = Path(__file__).resolve().parents[3]
_COMPOSE = yaml.safe_load((_ROOT / "docker-compose.yml").read_text())
_KUBE = list(yaml.safe_load_all((_ROOT / "cluster" / "kuberay.yaml").read_text()))
_LAUNCHER = yaml.safe_load((_ROOT / "ray-cluster.yaml").read_text())
_DOCKERFILE = (_ROOT / "Dockerfile").read_text()


def test_rays_launcher_takes_the_cluster_file() -> None:
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    jsonschema.validate(_LAUNCHER, schema)


def test_compose_takes_the_file_where_a_client_is_at_hand() -> None:
    try:
        client = subprocess.run(
            ["docker", "compose", "version"], capture_output=True, timeout=20, check=False
        )
    except OSError:
        pytest.skip("no docker client")
    if client.returncode:
        pytest.skip("this docker client has no compose")
    subprocess.run(
        ["docker", "compose", "-f", _ROOT / "docker-compose.yml", "config", "-q"],
        check=True,
        timeout=60,
    )


def test_compose_waits_only_for_services_that_say_they_are_well() -> None:
    services = _COMPOSE["services"]
    for name, service in services.items():
        assert service.get("healthcheck") or service["build"], f"{name} has no health check"
        for other, wait in service.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert services[other]["healthcheck"]["test"]
            else:
                assert services[other]["restart"] == "no"


def test_compose_keeps_data_in_volumes_and_publishes_on_loopback_alone() -> None:
    used = set()
    for service in _COMPOSE["services"].values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")
        used |= {volume.partition(":")[0] for volume in service.get("volumes", ())}
    assert used == set(_COMPOSE["volumes"])


def test_every_variable_of_compose_is_a_setting() -> None:
    known = {f"FORKAST_{name.upper()}" for name in Settings.model_fields}
    for service in _COMPOSE["services"].values():
        given = {name for name in service.get("environment", {}) if name.startswith("FORKAST_")}
        assert given <= known


def test_no_node_of_ray_is_started_with_a_secret_of_the_platform() -> None:
    started = dict(_rays_environments())
    assert set(started) >= {"ray-head", "ray-worker", "head_start", "worker_start"}
    for name, environment in started.items():
        assert not SECRETS & environment, f"{name} has {SECRETS & environment}"
    for service in ("ray-head", "ray-worker"):
        assert "RAY_AUTH_TOKEN" in _COMPOSE["services"][service]["environment"]


def test_kuberay_finds_the_head_again_and_names_this_ray() -> None:
    job, cluster, service = _KUBE
    spec = cluster["spec"]
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    assert spec["rayVersion"] == ray.__version__
    assert spec["gcsFaultToleranceOptions"]["redisAddress"]
    head = spec["headGroupSpec"]
    assert set(head) >= {"rayStartParams", "template"}
    assert head["rayStartParams"]["num-cpus"] == "0"
    for group in spec["workerGroupSpecs"]:
        assert set(group) >= {"groupName", "replicas", "minReplicas", "maxReplicas", "template"}
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    assert all(isinstance(value, str) for value in head["rayStartParams"].values())
    assert service["spec"]["selector"]["ray.io/cluster"] == cluster["metadata"]["name"]
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "OnFailure"


def test_pods_mount_only_volumes_that_they_have() -> None:
    for pod in _pods():
        volumes = {volume["name"] for volume in pod.get("volumes", ())}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container.get("volumeMounts", ())} <= volumes


def test_the_image_has_what_the_build_of_the_project_reads() -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    hooks = project["tool"]["hatch"]["build"]["hooks"]
    wanted = {project["project"]["readme"], hooks["custom"].get("path", "hatch_build.py")}
    copied = {
        word
        for line in _DOCKERFILE.splitlines()
        if line.startswith("COPY ")
        for word in line.split()
    }
    assert wanted <= copied
    assert "/opt/forkast/cluster/site" in copied
    assert PACKAGED == _ROOT / "cluster" / "site"


def test_the_launchers_settings_are_where_it_mounts_them() -> None:
    (mounted,) = _LAUNCHER["file_mounts"]
    (given,) = (word for word in _LAUNCHER["docker"]["run_options"] if "env-file" in word)
    assert given == f"--env-file=/tmp/ray_tmp_mount/{_LAUNCHER['cluster_name']}{mounted}"


def test_every_ray_start_of_the_files_parses() -> None:
    starts = [line for line in _shell_lines() if "ray start" in line]
    assert len(starts) >= 4
    for line in starts:
        for arguments in re.findall(r"ray start ([^&;]*)", line):
            words = shlex.split(arguments.replace("$RAY_HEAD_IP", "127.0.0.1"))
            ray_start.make_context("start", words, resilient_parsing=False)


def test_every_forkast_command_of_the_files_exists() -> None:
    known = {command.name for command in app.registered_commands}
    named = {
        name for line in _shell_lines() for name in re.findall(r"(?:^|\s)forkast ([a-z]+)", line)
    }
    assert named >= {"migrate", "up"}
    assert named <= known


def test_the_command_line_of_the_image_starts() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "cluster.cli", "--help"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0
    assert {"migrate", "rebalance", "doctor"} <= set(ended.stdout.split())


def test_the_image_is_locked_without_root_and_says_whether_it_is_well() -> None:
    last_user = [line for line in _DOCKERFILE.splitlines() if line.startswith("USER ")][-1]
    assert last_user == "USER forkast"
    assert _DOCKERFILE.count("uv sync --frozen") == 2
    assert "HEALTHCHECK" in _DOCKERFILE
    assert (_ROOT / "uv.lock").is_file()


def test_the_image_gives_rays_workers_the_environment_of_the_embedded_ray() -> None:
    given = dict(re.findall(r"^(?:ENV)?\s+(\w+)=(\S+?)(?: \\)?$", _DOCKERFILE, re.MULTILINE))
    wanted = {name: value for name, value in INHERITED.items() if name not in OWN_NODE_ONLY}
    assert {name: given.get(name) for name in wanted} == wanted


def _rays_environments() -> Iterator[tuple[str, set[str]]]:
    """Yield the names of the variables that each node of Ray's is started with, file by file."""
    for name, service in _COMPOSE["services"].items():
        command = " ".join(service.get("command", ()))
        if "ray start" in command:
            yield name, set(service["environment"]) - _taken_away(command)
    for pod in _pods():
        for container in pod["containers"]:
            if container["name"].startswith("ray-"):
                assert "envFrom" not in container
                yield f"pod {container['name']}", {one["name"] for one in container["env"]}
    for role in ("head_start", "worker_start"):
        (command,) = (line for line in _LAUNCHER[f"{role}_ray_commands"] if "ray start" in line)
        yield role, set(SECRETS) - _taken_away(command)


def _taken_away(command: str) -> set[str]:
    """Return the variables that `env -u` keeps from the Ray that a command starts."""
    return set(re.findall(r"-u (\w+)", command.partition("ray start")[0]))


def _pods() -> Iterator[Any]:
    job, cluster, _ = _KUBE
    yield job["spec"]["template"]["spec"]
    yield cluster["spec"]["headGroupSpec"]["template"]["spec"]
    for group in cluster["spec"]["workerGroupSpecs"]:
        yield group["template"]["spec"]


def _shell_lines() -> Iterator[str]:
    for service in _COMPOSE["services"].values():
        command = service.get("command", "")
        yield command if isinstance(command, str) else " ".join(command)
    for pod in _pods():
        for container in pod["containers"]:
            yield " ".join(container.get("command", ()))
    yield from _LAUNCHER["head_start_ray_commands"] + _LAUNCHER["worker_start_ray_commands"]
