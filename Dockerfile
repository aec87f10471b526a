# syntax=docker/dockerfile:1
# 电子印章服务. Build: docker build --tag seal-service .
# docker run --rm --volume seal-data:/var/lib/seal --volume seal-keys:/etc/seal/keys seal-service seal init
# docker run --volume seal-data:/var/lib/seal --volume seal-keys:/etc/seal/keys --publish 8000:8000 seal-service

FROM python:3.11-slim AS builder
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
# What is installed is what the locks name, byte for byte: first the dependencies, which change seldom.
COPY requirements.lock ./
RUN python -m venv /opt/seal && /opt/seal/bin/pip install --require-hashes --requirement requirements.lock
COPY requirements-dev.lock ./
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes --requirement requirements-dev.lock
COPY pyproject.toml README.md LICENSE ./
COPY seal_service ./seal_service
COPY migrations ./migrations
COPY examples ./examples
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /build/dist . \
    && /opt/seal/bin/pip install --no-deps /build/dist/*.whl \
    && /opt/seal/bin/seal --version

FROM python:3.11-slim
LABEL org.opencontainers.image.title="seal-service" \
      org.opencontainers.image.description="电子印章服务: the electronic seal service of a city" \
      org.opencontainers.image.licenses="Apache-2.0"
# pg_dump and pg_restore, for `seal db backup` and `seal db restore` of a PostgreSQL database.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 10001 seal \
    && useradd --system --uid 10001 --gid seal --home-dir /var/lib/seal --shell /usr/sbin/nologin seal \
    && install --directory --owner seal --group seal --mode 0700 /var/lib/seal /etc/seal/keys /var/backups/seal
COPY --from=builder /opt/seal /opt/seal
ENV PATH=/opt/seal/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    SEAL_HOME=/var/lib/seal SEAL_KEYS=/etc/seal/keys
USER 10001:10001
WORKDIR /var/lib/seal
# Two volumes: the keys are to lie, and to be backed up, apart from what they protect.
VOLUME ["/var/lib/seal", "/etc/seal/keys"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=9)"]
CMD ["seal", "serve", "--host", "0.0.0.0"]
