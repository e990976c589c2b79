package gistmill.bench;

import org.apache.avro.util.Utf8;

/**
 * What the job needs of a record of {@code group.message.ingested}.
 *
 * @param eventTime when the message was sent; of control, the clock of the source, in ms
 * @param messageId id of the message; without meaning in control
 * @param author id of who wrote it; null in control
 * @param ends whether it ends its group
 */
record Ingested(long eventTime, long messageId, Utf8 author, boolean ends) {
    boolean isMessage() {
        return author != null;
    }
}
