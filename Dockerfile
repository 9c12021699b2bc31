# syntax=docker/dockerfile:1
# The worker. ffmpeg (with libass) and the fonts come as Python wheels, the same that the tests
# run with, so the image needs nothing from the distribution.
#
#   docker build -t video-worker .          # --build-arg VERSION=1.2.3 --build-arg REVISION=$(git rev-parse HEAD)
#   docker run --env-file .env --read-only --tmpfs /tmp -v video-work:/work video-worker

FROM python:3.13-slim AS build
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY worker worker
COPY migrations migrations
RUN python -m venv /app \
 && /app/bin/pip install --no-cache-dir -c constraints.txt '.[fonts,otel]' \
 && /app/bin/pip uninstall --yes pip

FROM python:3.13-slim
# Given by the release workflow; `docker inspect` then tells what runs.
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="supabase-video-worker" \
      org.opencontainers.image.description="Burns subtitles into videos for Supabase apps" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin worker \
 && install -d -o worker -g worker /work
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WORKER_WORK_DIR=/work \
    PORT=8080
USER 10001:10001
VOLUME /work
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s CMD ["video-worker", "health"]
ENTRYPOINT ["video-worker"]
CMD ["run"]
