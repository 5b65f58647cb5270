# One image for every role: Ray head, Ray worker, the platform and its one-shot migrations.
# What a container does is said by its command (see docker-compose.yml).

FROM node:24-slim AS web
WORKDIR /source
COPY . .
# Without a web/ folder the image holds no page: there, start it with `forkast up --no-web`.
RUN mkdir -p web/dist \
    && if [ -f web/package.json ]; then cd web && npm ci && npm run build; fi

FROM python:3.11-slim AS python
ENV PYTHONDONTWRITEBYTECODE=0 \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir "uv>=0.9,<1"
WORKDIR /opt/forkast
# The packages first: they change less often than the sources.
COPY pyproject.toml uv.lock hatch_build.py README.md LICENSE ./
RUN uv sync --frozen --no-default-groups --no-install-project
COPY actors actors
COPY analytics analytics
COPY api api
COPY cluster cluster
RUN uv sync --frozen --no-default-groups

FROM python:3.11-slim
# Ray's launcher copies files by rsync, and runs its commands in a login shell, which sets PATH anew.
RUN apt-get update \
    && apt-get install -y --no-install-recommends rsync \
    && rm -rf /var/lib/apt/lists/* \
    && echo 'PATH=/opt/forkast/.venv/bin:$PATH' > /etc/profile.d/forkast.sh \
    && useradd --create-home --uid 10001 forkast \
    && install -d -o forkast -g forkast /var/lib/forkast
COPY --from=python --chown=forkast:forkast /opt/forkast /opt/forkast
# Where a wheel has it, too.
COPY --from=web --chown=forkast:forkast /source/web/dist /opt/forkast/cluster/site
# The settings of cluster/platform/environment.py: Ray's workers inherit them from their node.
ENV PATH=/opt/forkast/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FORKAST_LOG_FORMAT=json \
    RAY_ENABLE_UV_RUN_RUNTIME_ENV=0 \
    RAY_USAGE_STATS_ENABLED=0 \
    RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO=0 \
    RAY_worker_niceness=0 \
    RAY_worker_maximum_startup_concurrency=8 \
    RAY_task_events_report_interval_ms=0 \
    RAY_SERVE_THROUGHPUT_OPTIMIZED=1 \
    RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S=1 \
    RAY_SERVE_CONTROL_LOOP_INTERVAL_S=0.25 \
    RAY_SERVE_METRICS_EXPORT_INTERVAL_MS=10000 \
    SERVE_SOCKET_REUSE_PORT_ENABLED=0 \
    RAY_health_check_period_ms=1000 \
    RAY_health_check_timeout_ms=2000 \
    RAY_health_check_failure_threshold=3 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    NUMBA_NUM_THREADS=1 \
    POLARS_MAX_THREADS=1 \
    MALLOC_ARENA_MAX=2
USER forkast
WORKDIR /var/lib/forkast
# Compiled once here, or in every process of every container.
RUN python -m actors.book.warm
VOLUME /var/lib/forkast
EXPOSE 3001 6379 8265 8080
# Right for every role but the one-shot ones: the container is a node of a Ray that answers.
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=6 \
    CMD ["ray", "health-check"]
ENTRYPOINT []
CMD ["forkast", "--help"]
