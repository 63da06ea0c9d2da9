# twostep as one static file, in an image that holds nothing else but what it needs to trust a server's certificate.
#
#   docker build -t twostep .
#   docker run --rm -e DATABASE_URL -v "$PWD/migrations:/migrations:ro" twostep migrate
#
# In the image of a service, beside its own code:
#
#   COPY --from=twostep /usr/local/bin/twostep /usr/local/bin/twostep
#
# Static: Rust's own target for musl, which links the C library in. SQLite (bundled) and ring (TLS) hold C and
# assembler: musl-tools has the compiler for them. Nothing links OpenSSL. There is no shell in this image; migrations in
# code (`VERSION_name.up` files) run in the image of the service, which has what they need.

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends build-essential ca-certificates musl-tools \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /twostep
RUN rustup target add "$(uname -m)-unknown-linux-musl"
COPY . .
RUN export "CC_$(uname -m)_unknown_linux_musl=musl-gcc" \
 && cargo build --locked --release --bin twostep --target "$(uname -m)-unknown-linux-musl" \
 && cp "target/$(uname -m)-unknown-linux-musl/release/twostep" .

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /twostep/twostep /usr/local/bin/twostep
ENV PATH=/usr/local/bin
USER 65534:65534
ENTRYPOINT ["/usr/local/bin/twostep"]
CMD ["--help"]
