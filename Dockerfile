# One image with gistmill, which runs any unit (`run NAME`), all of them (`up`) and every command. Versions: deploy/versions.
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends pkg-config libssl-dev zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The toolchain of the image, whatever rust-toolchain.toml would fetch.
ENV RUSTUP_TOOLCHAIN=1.95
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --workspace --bins \
 && mkdir -p /programs \
 && find target/release -maxdepth 1 -type f -executable -exec cp {} /programs/ \;

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl3 zlib1g \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin gistmill \
 && install -d -o gistmill -g gistmill /var/lib/gistmill
COPY --from=build /programs/ /usr/local/bin/
COPY deploy/healthcheck /usr/local/bin/healthcheck
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
ENV GISTMILL_HTTP__LISTEN=0.0.0.0:9100 GISTMILL_LOCK_DIR=/tmp GISTMILL_FILES__DIRECTORY=/var/lib/gistmill/out
# The root may be read-only: only these are written to.
VOLUME ["/tmp", "/var/lib/gistmill"]
EXPOSE 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s --retries=3 CMD ["healthcheck"]
ENTRYPOINT ["gistmill"]
CMD ["up"]
