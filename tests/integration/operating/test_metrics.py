"""Every metric that dashboard and alerts name is one that a running platform shows."""

import json
import re
import time
from pathlib import Path

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from actors.platform.metrics import HELP, Metric
from cluster.tools.platforms import RunningPlatform

_MONITORING = Path(__file__).resolve().parents[3] / "cluster" / "monitoring"
_DASHBOARD = json.loads((_MONITORING / "grafana" / "forkast.json").read_text())
_ALERTS = yaml.safe_load((_MONITORING / "prometheus" / "alerts.yml").read_text())
_NAME = re.compile(r"\bforkast_[a-z_]+\b")
_SHOWN_S = 30.0


def _expressions() -> list[str]:
    panels = [target["expr"] for panel in _DASHBOARD["panels"] for target in panel["targets"]]
    return panels + [rule["expr"] for group in _ALERTS["groups"] for rule in group["rules"]]


def _named() -> set[str]:
    return {name for expression in _expressions() for name in _NAME.findall(expression)}


def test_every_metric_has_a_help_text_and_a_place_on_the_dashboard() -> None:
    assert set(HELP) == set(Metric)
    named = {name.removesuffix("_bucket") for name in _named()}
    seldom = {Metric.PAIR_COMMANDS_RATE, Metric.PAIR_SEQUENCE, Metric.PAIR_TRADES}
    assert set(Metric) - seldom <= named


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    for group in _ALERTS["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("page", "warn")
            assert rule["annotations"].keys() >= {"summary", "action"}


def test_a_running_platform_shows_every_metric_that_dashboard_and_alerts_name(
    running_platform: RunningPlatform,
) -> None:
    order = {"tradingPair": "DOT-USD", "type": "BUY", "price": "5", "quantity": "1", "userId": 1}
    with httpx.Client(base_url=running_platform.url, timeout=10, trust_env=False) as client:
        assert client.post("/orders?wait=2000", json=order).status_code == 201
        post_only = {**order, "type": "SELL", "price": "4", "postOnly": True}
        client.post("/orders?wait=2000", json=post_only)
        deadline = time.monotonic() + _SHOWN_S
        shown: set[str] = set()
        # A scrape meets one gateway or the other, and each looks at Redis in its own time.
        while missing := (_named() | {_declined("WOULD_CROSS")}) - shown:
            assert time.monotonic() < deadline, f"no samples of {sorted(missing)}"
            shown = _shown(client)
            time.sleep(0.2)


def _shown(client: httpx.Client) -> set[str]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    names = {sample.name for sample in samples}
    return names | {
        _declined(sample.labels["reason"])
        for sample in samples
        if sample.name == Metric.PAIR_REJECTED and sample.value > 0
    }


def _declined(reason: str) -> str:
    return f"{Metric.PAIR_REJECTED}, {reason}"
