# Connector Gateway: one process, its data in /data, on port 8080.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/run.txt requirements/postgres.txt requirements/build.txt /src/requirements/
WORKDIR /src
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --require-hashes --only-binary :all: \
       -r requirements/run.txt -r requirements/postgres.txt \
    && pip install --require-hashes --only-binary :all: -r requirements/build.txt
COPY LICENSE README.md config.example.toml pyproject.toml ./
COPY gateway gateway
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /tmp/wheel . \
    && /opt/venv/bin/pip install --no-deps --no-index /tmp/wheel/*.whl

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Connector Gateway" \
      org.opencontainers.image.description="Verified vendor webhooks in, signed and null-filtered events out, nothing lost." \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 gateway \
    && useradd --system --uid 10001 --gid gateway --no-create-home --shell /usr/sbin/nologin gateway \
    && install --directory --owner=gateway --group=gateway --mode=0700 /data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GATEWAY_SERVER__HOST=0.0.0.0 \
    GATEWAY_STORAGE__DATA_DIR=/data
# A config.toml in the volume is read.
WORKDIR /data
USER gateway
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["python", "-I", "-c", "import http.client, os, sys; peer = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('GATEWAY_SERVER__PORT', '8080')), timeout=4); peer.request('GET', '/readyz'); sys.exit(peer.getresponse().status != 200)"]
# The process itself is number 1, so that SIGTERM reaches it and it can drain.
ENTRYPOINT ["gateway"]
CMD ["serve"]
