/*
 * StreamsBench: the queries of bench_kafka.c with Kafka Streams, exactly_once_v2.
 *
 *   java StreamsBench.java BOOTSTRAP filter|copy|sum RECORDS
 *
 * Reads the topic orders-RECORDS that bench_kafka has filled, ends when so many records have
 * passed and a commit interval has gone by, and prints the process's CPU seconds per million.
 * JSON goes through Jackson's tree, as Streams programs commonly have it; the sum is kept in
 * a RocksDB store with its changelog, cached and emitted once a second.
 */
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;

public final class StreamsBench {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int COMMIT_MS = 100;
    private static final int EMIT_MS = 1000;

    private StreamsBench() {
    }

    private static Serde<ObjectNode> json() {
        Serializer<ObjectNode> write = (topic, node) -> {
            try {
                return node == null ? null : MAPPER.writeValueAsBytes(node);
            } catch (java.io.IOException e) {
                throw new IllegalStateException(e);
            }
        };
        Deserializer<ObjectNode> read = (topic, bytes) -> {
            try {
                return bytes == null ? null : (ObjectNode) MAPPER.readTree(bytes);
            } catch (java.io.IOException e) {
                throw new IllegalStateException(e);
            }
        };
        return Serdes.serdeFrom(write, read);
    }

    private static ObjectNode projected(ObjectNode order) {
        ObjectNode out = MAPPER.createObjectNode();
        for (String field : List.of("ORDER_ID", "CUSTOMER", "PRICE", "QTY")) {
            out.set(field, order.get(field));
        }
        return out;
    }

    private static ObjectNode added(ObjectNode order, ObjectNode total) {
        ObjectNode out = MAPPER.createObjectNode();
        out.put("N", (total.has("N") ? total.get("N").asLong() : 0) + 1);
        out.put("TOTAL", (total.has("TOTAL") ? total.get("TOTAL").asDouble() : 0)
                + order.get("PRICE").asDouble());
        return out;
    }

    private static void build(String query, KStream<String, ObjectNode> orders, String to) {
        Produced<String, ObjectNode> out = Produced.with(Serdes.String(), json());
        switch (query) {
        case "filter" -> orders.filter((key, order) -> order.get("PRICE").asDouble() >= 900)
                .mapValues(StreamsBench::projected).to(to, out);
        case "copy" -> orders.filter((key, order) -> order.get("PRICE").asDouble() >= 0)
                .to(to, out);
        case "sum" -> orders.groupByKey(Grouped.with(Serdes.String(), json()))
                .aggregate(MAPPER::createObjectNode, (key, order, total) -> added(order, total),
                        Materialized.with(Serdes.String(), json()))
                .toStream().to(to, out);
        default -> throw new IllegalArgumentException(query);
        }
    }

    private static Properties settings(String bootstrap, String name, Path state, boolean emits) {
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, name);
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, emits ? EMIT_MS : COMMIT_MS);
        p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 512L * 1024 * 1024);
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
        p.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        p.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        p.put("auto.offset.reset", "earliest");
        return p;
    }

    public static void main(String[] args) throws Exception {
        OperatingSystemMXBean system =
                (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long wanted = Long.parseLong(args[2]);
        String name = "streams-" + args[1] + "-" + ProcessHandle.current().pid();
        Path state = Files.createTempDirectory("streams-bench");
        AtomicLong seen = new AtomicLong();
        StreamsBuilder builder = new StreamsBuilder();

        try (Admin admin = Admin.create(
                settings(args[0], name, state, false))) {
            admin.createTopics(List.of(new NewTopic(name, Optional.of(4), Optional.empty())))
                    .all().get();
        }
        build(args[1], builder.stream("orders-" + wanted, Consumed.with(Serdes.String(), json()))
                .peek((key, order) -> seen.incrementAndGet()), name);
        long began = System.nanoTime();
        try (KafkaStreams streams = new KafkaStreams(builder.build(),
                settings(args[0], name, state, args[1].equals("sum")))) {
            streams.start();
            while (seen.get() < wanted) {
                Thread.sleep(50);
            }
            Thread.sleep(EMIT_MS);
        }
        System.out.printf("Kafka Streams: %-8s %6.2f CPU s/M  %6.1f s  %d records, JVM start included%n",
                args[1], system.getProcessCpuTime() / 1e3 / wanted,
                (System.nanoTime() - began) / 1e9, wanted);
        System.exit(0);
    }
}
