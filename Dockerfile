# The same image for web, worker and release: the command says which. See docs/operating.md.
FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 HOST=0.0.0.0 HEADWATER_DATA=/data
WORKDIR /app
COPY requirements.txt ./
RUN pip install --require-hashes --requirement requirements.txt
COPY . ./
RUN useradd --system --create-home headwater && install --directory --owner=headwater /data
USER headwater
EXPOSE 8050
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as ask; ask.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8050)}/healthz')"]
CMD ["python", "-m", "app.cli", "web"]
