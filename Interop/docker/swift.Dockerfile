# The swcelery executable on a plain Debian. Context: the repository.
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends librabbitmq-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Package.* ./
COPY Sources ./Sources
COPY Tests ./Tests
RUN swift build -c release --product swcelery --static-swift-stdlib \
    && cp "$(swift build -c release --show-bin-path)/swcelery" /swcelery

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates librabbitmq4 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home worker
COPY --from=build /swcelery /usr/local/bin/swcelery
USER worker
ENTRYPOINT ["swcelery"]
CMD ["worker"]
