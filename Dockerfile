# syntax=docker/dockerfile:1
# The minor version is the one that the tests run on.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS builder
# service, or service-otel for an image that can send traces (docs/metrics.md).
ARG REQUIREMENTS=service
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all:
WORKDIR /src
COPY requirements/ requirements/
RUN python -m venv --without-pip /opt/keyturn \
    && pip --python /opt/keyturn/bin/python install --no-deps --require-hashes -r requirements/${REQUIREMENTS}.txt
# The build backend with its own dependencies, by the hashes of the developers' lock.
RUN awk '/^[a-z]/ { keep = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/ } keep' \
        requirements/dev.txt > requirements/build.txt \
    && pip install --no-deps --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY keyturn/ keyturn/
COPY service/ service/
COPY alembic-free-migrations/ alembic-free-migrations/
RUN python -m hatchling build -t wheel -d /dist \
    && pip --python /opt/keyturn/bin/python install --no-deps --no-index /dist/*.whl

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Keyturn" \
      org.opencontainers.image.description="Authentication on DynamoDB" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
RUN pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip \
    && groupadd --system --gid 10001 keyturn \
    && useradd --system --uid 10001 --gid keyturn --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin keyturn
COPY --from=builder /opt/keyturn /opt/keyturn
ENV PATH=/opt/keyturn/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=2).read()"]
ENTRYPOINT ["keyturn"]
CMD ["serve", "--host", "0.0.0.0"]
