FROM rust:1.95-bookworm AS builder
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpq-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Without the bundled libpq: the system's speaks TLS.
RUN cargo build --release --locked --no-default-features

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libpq5 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin masthead \
    && install --directory --owner masthead --group masthead --mode 0700 /data
COPY --from=builder /src/target/release/masthead /usr/local/bin/masthead
ENV MASTHEAD_LISTEN=0.0.0.0:8080 \
    MASTHEAD_DATA=/data \
    MASTHEAD_LOG_FORMAT=json
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["masthead", "healthcheck"]
ENTRYPOINT ["masthead"]
CMD ["serve"]
