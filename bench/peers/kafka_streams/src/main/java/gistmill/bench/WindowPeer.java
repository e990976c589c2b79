package gistmill.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.avro.Schema;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.DslStoreSuppliers;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The common job in the DSL of Kafka Streams: windows of an hour, emitted once when they close, exactly once.
 *
 * <p>Its rule for late records is that of the DSL: a record is dropped when the end of its window, plus grace, is not after
 * the newest event time that its partition has seen.
 */
public final class WindowPeer {
    private static final Duration SIZE = Duration.ofHours(1);
    private static final Duration GRACE = Duration.ofMinutes(5);
    /** A replay runs ahead of the store's own idea of time: with the default, windows expire before they are emitted. */
    private static final Duration RETENTION = Duration.ofHours(6);
    private static final long CACHE_BYTES = 64L << 20;

    private WindowPeer() {}

    /** Runs until it is told to stop; ends with 1 when a thread of it fails. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Options options = new Options(arguments);
        Schema schema = new Schema.Parser().parse(options.path("schema").toFile());
        Properties settings = settings(options);
        KafkaStreams streams = new KafkaStreams(topology(options, schema), settings);
        CountDownLatch stopped = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(failure -> {
            failure.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(20));
            stopped.countDown();
        }));
        streams.start();
        stopped.await();
    }

    private static Topology topology(Options options, Schema schema) {
        Serde<Ingested> ingested = Serdes.serdeFrom((topic, value) -> {
            throw new UnsupportedOperationException("nothing writes " + topic);
        }, new IngestedReader(schema));
        DslStoreSuppliers stores = stores(options.text("store"));
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(
                        options.text("input"),
                        Consumed.with(Serdes.Bytes(), ingested)
                                .withTimestampExtractor((record, time) -> ((Ingested) record.value()).eventTime()))
                // Settings are not for windows; what ends a group has to reach them, since nothing else moves time on.
                .filter((group, record) -> record.isMessage() || record.ends())
                .groupByKey(Grouped.with(Serdes.Bytes(), ingested))
                .windowedBy(TimeWindows.ofSizeAndGrace(SIZE, GRACE))
                .emitStrategy(EmitStrategy.onWindowClose())
                .aggregate(
                        WindowState::empty,
                        (group, record, state) ->
                                record.isMessage() ? WindowState.with(state, record.messageId(), record.author()) : state,
                        Named.as("windows"),
                        Materialized.<Bytes, byte[], WindowStore<Bytes, byte[]>>as("windows")
                                .withStoreType(stores)
                                .withKeySerde(Serdes.Bytes())
                                .withValueSerde(Serdes.ByteArray())
                                .withRetention(RETENTION)
                                .withCachingEnabled())
                .toStream()
                .filter((window, state) -> WindowState.messages(state) > 0)
                .map((window, state) -> KeyValue.pair(window.key(), row(window, state)))
                .to(options.text("output"), Produced.with(Serdes.Bytes(), Serdes.ByteArray()));
        return builder.build();
    }

    private static DslStoreSuppliers stores(String name) {
        return switch (name) {
            case "in_memory" -> new BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers();
            case "rocksdb" -> new BuiltInDslStoreSuppliers.RocksDBDslStoreSuppliers();
            default -> throw new IllegalArgumentException("--store is in_memory or rocksdb");
        };
    }

    /** A row as JSON. Keys of this job need no escapes. */
    private static byte[] row(Windowed<Bytes> window, byte[] state) {
        String group = new String(window.key().get(), StandardCharsets.UTF_8);
        String json = "{\"key\":\"" + group
                + "\",\"window_start\":" + window.window().start()
                + ",\"window_end\":" + window.window().end()
                + ",\"message_count\":" + WindowState.messages(state)
                + ",\"participant_count\":" + WindowState.authors(state) + "}";
        return json.getBytes(StandardCharsets.UTF_8);
    }

    private static Properties settings(Options options) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, options.text("application"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.text("brokers"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, options.text("state-dir"));
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, options.number("threads"));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, CACHE_BYTES);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(StreamsConfig.METRICS_RECORDING_LEVEL_CONFIG, "INFO");
        // Else windows are looked for once a second of the wall's time, and most of a replay is over by then.
        settings.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0L);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 1_000_000);
        return settings;
    }
}
