# syntax=docker/dockerfile:1
# One file for all services: which one, and on what it is built and run, are arguments.
#   docker build --build-arg SERVICE=policy --tag bylaw-policy .
ARG BUILD_IMAGE=docker.io/library/rust:1.95-bookworm
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot

# The manifests alone, so that the dependency layer is built again only when they change.
FROM ${BUILD_IMAGE} AS manifests
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY crates crates
COPY services services
COPY cli cli
COPY tests tests
RUN find . -type f -not -name Cargo.toml -not -name Cargo.lock -delete \
 && find . -mindepth 2 -name Cargo.toml -printf '%h\n' | while read -r crate; do \
      mkdir -p "$crate/src" && touch "$crate/src/lib.rs" && echo 'fn main() {}' >"$crate/src/main.rs" || exit 1; \
    done

FROM ${BUILD_IMAGE} AS dependencies
WORKDIR /src
ARG SERVICE
COPY --from=manifests /src ./
RUN cargo build --profile image --locked --package "${SERVICE}"

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
ARG SERVICE
COPY --from=dependencies /src/target target
COPY . .
# Newer than what the dependency layer made of the stand-ins.
RUN find crates services cli tests -name '*.rs' -exec touch {} + \
 && cargo build --profile image --locked --package "${SERVICE}" --bin "bylaw-${SERVICE}" \
 && cp "target/image/bylaw-${SERVICE}" /bylaw

# hadolint ignore=DL3006 # the tag is in the argument
FROM ${BASE_IMAGE}
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="bylaw-${SERVICE}" \
      org.opencontainers.image.description="Bylaw's ${SERVICE} service" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /bylaw /bylaw
USER 65532:65532
EXPOSE 50051 8080
ENTRYPOINT ["/bylaw"]
