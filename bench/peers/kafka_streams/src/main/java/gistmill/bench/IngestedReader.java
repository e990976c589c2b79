package gistmill.bench;

import java.io.IOException;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.util.Utf8;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Reads framed Avro by the schema that it was written with, and of it only the fields that the job needs.
 *
 * <p>Kafka Streams has one serde for all of its threads; readers and decoders are not for two at once, so each thread has
 * its own.
 */
final class IngestedReader implements Deserializer<Ingested> {
    private static final int FRAME_BYTES = 5;
    private static final byte MAGIC = 0;

    private final Schema written;
    private final Schema wanted;
    private final ThreadLocal<Own> own = ThreadLocal.withInitial(Own::new);

    IngestedReader(Schema written) {
        this.written = written;
        this.wanted = wanted(written.getNamespace());
    }

    private static Schema wanted(String namespace) {
        Schema author = SchemaBuilder.record("Author").namespace(namespace).fields()
                .requiredString("id")
                .endRecord();
        Schema message = SchemaBuilder.record("Message").namespace(namespace).fields()
                .requiredLong("id")
                .name("author").type().unionOf().nullType().and().type(author).endUnion().nullDefault()
                .requiredLong("sent_at")
                .endRecord();
        return SchemaBuilder.record("GroupMessageIngested").namespace(namespace).fields()
                .requiredLong("observed_at")
                .name("messages").type().array().items(message).noDefault()
                .name("complete_until").type().unionOf().nullType().and().longType().endUnion().nullDefault()
                .endRecord();
    }

    @Override
    public Ingested deserialize(String topic, byte[] value) {
        if (value.length < FRAME_BYTES || value[0] != MAGIC) {
            throw new SerializationException("a value of " + topic + " has no frame");
        }
        try {
            return own.get().read(value);
        } catch (IOException error) {
            throw new SerializationException("could not decode a value of " + topic, error);
        }
    }

    /** What one thread reads with. */
    private final class Own {
        private final GenericDatumReader<GenericRecord> reader = new GenericDatumReader<>(written, wanted);
        private final int observedAt = wanted.getField("observed_at").pos();
        private final int messages = wanted.getField("messages").pos();
        private final int completeUntil = wanted.getField("complete_until").pos();
        private final int id = message().getField("id").pos();
        private final int author = message().getField("author").pos();
        private final int sentAt = message().getField("sent_at").pos();
        private BinaryDecoder decoder;
        private GenericRecord reused;

        private Schema message() {
            return wanted.getField("messages").schema().getElementType();
        }

        private Ingested read(byte[] value) throws IOException {
            decoder = DecoderFactory.get().binaryDecoder(value, FRAME_BYTES, value.length - FRAME_BYTES, decoder);
            reused = reader.read(reused, decoder);
            List<?> all = (List<?>) reused.get(messages);
            if (all.isEmpty()) {
                return new Ingested((Long) reused.get(observedAt), 0, null, reused.get(completeUntil) != null);
            }
            if (all.size() > 1) {
                throw new SerializationException("the job has one message a record");
            }
            GenericRecord message = (GenericRecord) all.get(0);
            Utf8 by = (Utf8) ((GenericRecord) message.get(author)).get(0);
            // The next read writes over it.
            return new Ingested((Long) message.get(sentAt), (Long) message.get(id), new Utf8(by), false);
        }
    }
}
