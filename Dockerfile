# syntax=docker/dockerfile:1
# One image for web, worker, sealer, beat and set-up: they differ by command, database login and mounted secrets.
# The Python version is the one that the tests run under.
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim-bookworm AS build
ARG UV_VERSION=0.13.9
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/app/.venv
RUN pip install --no-cache-dir "uv==${UV_VERSION}"
WORKDIR /app
# The packages first: they change less often than the code.
COPY pyproject.toml uv.lock ./
COPY verifier verifier
RUN uv sync --locked --no-default-groups
COPY . .
# No secret is needed to collect static files; the flag permits their absence, at build time only.
RUN EPICASE_DEV=1 EPICASE_STATIC_ROOT=/app/static-root \
        .venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && .venv/bin/python -m compileall -q access audit cases contacts disclosure epicase vault verifier

FROM python:${PYTHON_VERSION}-slim-bookworm
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUTF8=1 \
    HOME=/tmp \
    DJANGO_SETTINGS_MODULE=epicase.settings \
    EPICASE_STATIC_ROOT=/app/static-root \
    EPICASE_STATE_DIR=/var/lib/epicase \
    EPICASE_EXPORT_DIR=/var/lib/epicase/exports \
    EPICASE_CHECKPOINT_FILE=/var/lib/epicase/checkpoints/checkpoints.txt
WORKDIR /app
COPY --from=build /app /app
# New volumes take over these modes, so any uid may own its files in them; one uid runs in a container.
RUN install -d -m 0755 /var/lib/epicase \
    && install -d -m 1777 /var/lib/epicase/exports /var/lib/epicase/checkpoints
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "epicase.wsgi:application", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=2", "--threads=4", "--timeout=60", "--worker-tmp-dir=/dev/shm", "--no-control-socket", "--log-level=warning"]
