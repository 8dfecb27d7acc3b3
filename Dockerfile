# The same image for web, worker and release: the command says which. See docs/operating.md.
FROM python:3.13 AS packages

ENV PATH=/packages/bin:$PATH PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN python -m venv --without-pip /packages
COPY requirements.txt ./
RUN /usr/local/bin/python -m pip --python /packages/bin/python install --no-compile --require-hashes \
    --requirement requirements.txt
COPY . ./
RUN python -m app.slim

FROM python:3.13-slim

ENV PATH=/packages/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 HEADWATER_DATA=/data
WORKDIR /app
COPY --from=packages /packages /packages
COPY . ./
RUN useradd --system --create-home headwater && install --directory --owner=headwater /data
USER headwater
EXPOSE 8050
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as ask; ask.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8050)}/healthz')"]
CMD ["python", "-m", "app.cli", "web"]
