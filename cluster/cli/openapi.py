"""`forkast openapi`: the REST contract as a document, without a running platform."""

import json
import sys

from actors.platform.config import Servers
from cluster.markets import default_topology
from cluster.plan import Platform


def openapi_text() -> str:
    """Return the OpenAPI document as JSON that diffs well."""
    # Only here: the web stack would slow every other command down.
    from api.application import create_app

    nowhere = Servers(kafka_bootstrap="", postgres_url="", redis_url="")
    platform = Platform(servers=nowhere, topology=default_topology(), data_directory="")
    return json.dumps(create_app(platform.gateway).openapi(), indent=2, ensure_ascii=False) + "\n"


def openapi() -> None:
    """Print the OpenAPI document of the REST interface."""
    sys.stdout.write(openapi_text())
