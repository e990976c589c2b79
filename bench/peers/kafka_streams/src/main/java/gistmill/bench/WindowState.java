package gistmill.bench;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.avro.util.Utf8;

/**
 * The messages and authors of a window as bytes: a set of ids as a bitmap, which ids of a chat are dense enough for, then
 * each author once.
 *
 * <p>A store of Kafka Streams keeps bytes, and gives and takes them with each record. State that is worked on as bytes is
 * parsed and written nowhere; with a collection of ids the job would be a measure of that instead.
 *
 * <p>Layout: first id (8), words of the bitmap (4), messages (4), authors (4), the bitmap, authors with a byte of length.
 */
final class WindowState {
    private static final int WORDS_AT = 8;
    private static final int MESSAGES_AT = 12;
    private static final int AUTHORS_AT = 16;
    private static final int HEADER = 20;
    private static final int GROWTH = 16;

    private WindowState() {}

    /** The state of a window without messages. */
    static byte[] empty() {
        return new byte[HEADER];
    }

    static int messages(byte[] state) {
        return ByteBuffer.wrap(state).getInt(MESSAGES_AT);
    }

    static int authors(byte[] state) {
        return ByteBuffer.wrap(state).getInt(AUTHORS_AT);
    }

    /** The state with a message; the very same one when it had it. What was given stays as it is: a cache may hold it. */
    static byte[] with(byte[] state, long id, Utf8 author) {
        ByteBuffer old = ByteBuffer.wrap(state);
        int words = old.getInt(WORDS_AT);
        long first = words == 0 ? id & -Long.SIZE : old.getLong(0);
        long word = Math.floorDiv(id - first, Long.SIZE);
        if (word >= 0 && word < words && (old.getLong(at(word)) >>> (id - first) & 1) == 1) {
            return state;
        }
        byte[] grown = roomFor(state, first, words, word);
        ByteBuffer next = ByteBuffer.wrap(grown);
        long start = next.getLong(0);
        int place = at(Math.floorDiv(id - start, Long.SIZE));
        next.putLong(place, next.getLong(place) | 1L << (id - start));
        next.putInt(MESSAGES_AT, next.getInt(MESSAGES_AT) + 1);
        return withAuthor(grown, author);
    }

    private static int at(long word) {
        return HEADER + (int) word * Long.BYTES;
    }

    /** A copy whose bitmap has a word of this index, counted from the first it has now, which may be below 0. */
    private static byte[] roomFor(byte[] state, long first, int words, long word) {
        int before = word < 0 ? (int) (GROWTH - word) : 0;
        int after = word < words ? 0 : (int) (word - words) + GROWTH;
        if (before == 0 && after == 0) {
            return state.clone();
        }
        byte[] grown = new byte[state.length + (before + after) * Long.BYTES];
        int bitmap = words * Long.BYTES;
        System.arraycopy(state, 0, grown, 0, HEADER);
        System.arraycopy(state, HEADER, grown, at(before), bitmap);
        System.arraycopy(state, at(words), grown, at(before + words + after), state.length - at(words));
        ByteBuffer header = ByteBuffer.wrap(grown);
        header.putLong(0, first - (long) before * Long.SIZE);
        header.putInt(WORDS_AT, before + words + after);
        return grown;
    }

    private static byte[] withAuthor(byte[] state, Utf8 author) {
        byte[] name = author.getBytes();
        int length = author.getByteLength();
        if (length > Byte.MAX_VALUE) {
            throw new IllegalArgumentException("an author of " + length + " bytes");
        }
        int at = at(ByteBuffer.wrap(state).getInt(WORDS_AT));
        while (at < state.length) {
            int from = at + 1;
            int to = from + state[at];
            if (Arrays.equals(state, from, to, name, 0, length)) {
                return state;
            }
            at = to;
        }
        byte[] grown = Arrays.copyOf(state, state.length + 1 + length);
        grown[state.length] = (byte) length;
        System.arraycopy(name, 0, grown, state.length + 1, length);
        ByteBuffer header = ByteBuffer.wrap(grown);
        header.putInt(AUTHORS_AT, header.getInt(AUTHORS_AT) + 1);
        return grown;
    }
}
