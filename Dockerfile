# sluice in a container: built by the project's own files, run on what it is linked with.
#   docker build -t sluice . && docker run -p 8088:8088 -p 8083:8083 sluice
FROM debian:12 AS build
RUN apt-get update && apt-get install -y --no-install-recommends make
WORKDIR /src
COPY . .
RUN make deps && make -j"$(nproc)"

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libcurl4 libedit2 libhttp-parser2.9 libicu72 libjansson4 liblz4-1 libpq5 librdkafka1 \
        librocksdb7.8 libsnappy1v5 libuv1 libzstd1 tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home /var/lib/sluice --create-home sluice
COPY --from=build /src/build/sluice /usr/local/bin/sluice
USER sluice
WORKDIR /var/lib/sluice
VOLUME /var/lib/sluice
EXPOSE 8088 8083
# Inside a container the loopback is the container's own: who may connect is the -p of docker run.
ENTRYPOINT ["sluice"]
CMD ["server", "--data", "/var/lib/sluice/data", "--listeners", "http://0.0.0.0:8088"]
