"""Environment of every process of the platform, set before Ray is imported the first time."""

import os

# One thread for each library: parallelism is between processes here, and a pool of threads costs
# memory in each of twenty of them.
INHERITED = {
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    # Ray's own name for "this node alone, on loopback": it otherwise listens on every network.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray lowers its workers' priority by default; here they are the exchange itself.
    "RAY_worker_niceness": "0",
    # Twenty workers start at once here; Ray warns at four times this number.
    "RAY_worker_maximum_startup_concurrency": "8",
    # The platform has metrics of its own, and an agent that gathers Ray's costs a core's tenth.
    "RAY_enable_metrics_collection": "0",
    # Nobody reads what each call of an actor leaves with Ray's head, which keeps 100,000 of them:
    # 370 MB, and a thread in each process that sends them once a second.
    "RAY_task_events_report_interval_ms": "0",
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "SERVE_SOCKET_REUSE_PORT_ENABLED": "0",
    "RAY_SERVE_HAPROXY_NBTHREAD": "2",
    "RAY_SERVE_HAPROXY_LOG_TARGET": "stdout",
    "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
    # Every change of a replica replaces HAProxy's worker, and the one before cuts its WebSockets
    # after this time, of replicas that live on too. Its idle connections it closes at once, so the
    # port of a replica that ended need not stay unused for as long, as Serve would have it.
    "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "3600",
    "RAY_SERVE_PORT_QUARANTINE_S": "40",
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
    # Three looks in vain, and a proxy that has died is replaced; by default they take 30 s.
    "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "1",
    # Serve's controller looks ten times a second whether something is to be done, and each replica
    # hands its counts over as often.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.25",
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "10000",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}


OWN_NODE_ONLY = (
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER",
    "RAY_enable_metrics_collection",
    *(name for name in INHERITED if "HAPROXY" in name or "HA_PROXY" in name),
    "RAY_SERVE_PORT_QUARANTINE_S",
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S",
)


def prepare(*, own_ray: bool) -> None:
    """Set the environment; `own_ray` is false where an address names a cluster of many nodes.

    Those nodes have an environment of their own, which decides about Serve's proxy.
    """
    os.environ.update(INHERITED)
    if not own_ray:
        for name in OWN_NODE_ONLY:
            os.environ.pop(name, None)
