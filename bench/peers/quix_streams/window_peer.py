"""The common job on Quix Streams: windows of an hour, told once when they close, exactly once.

Its rule for late records is that of the closing strategy "key": a record is dropped when the end of its window, plus grace,
is not after the newest event time of its own chat.
"""

import argparse
import io
import json

import fastavro
import orjson
from quixstreams import Application
from quixstreams.models import Deserializer
from quixstreams.state.rocksdb import RocksDBOptions

HOUR_MS = 3_600_000
GRACE_MS = 300_000
FRAME_BYTES = 5
# State of a window as bytes: first id, messages, authors, then the names of the authors and the ids as a bitmap. A store
# keeps bytes and gives and takes them with each record: anything else would be made and parsed each time.
HEADER = 20
GROWTH = 128


def plain(schema):
    """The schema without logical types: times stay numbers."""
    if isinstance(schema, dict):
        return {name: plain(value) for name, value in schema.items() if name != "logicalType"}
    return [plain(part) for part in schema] if isinstance(schema, list) else schema


class Reader(Deserializer):
    """Framed Avro as (event time, id, author), or of control as (event time, None, whether it ends its chat).

    Whole records: fastavro takes longer to leave fields out than to read them.
    """

    def __init__(self, path):
        super().__init__()
        with open(path, encoding="utf-8") as file:
            self.schema = fastavro.parse_schema(plain(json.load(file)))

    def __call__(self, value, ctx):
        if len(value) < FRAME_BYTES or value[0] != 0:
            raise ValueError("a value has no frame")
        datum = io.BytesIO(value)
        datum.seek(FRAME_BYTES)
        record = fastavro.schemaless_reader(datum, self.schema)
        if not record["messages"]:
            return (record["observed_at"], None, record["complete_until"] is not None)
        message = record["messages"][0]
        return (message["sent_at"], message["id"], message["author"]["id"])


def initial(value):
    return with_message(bytes(HEADER), value)


def with_message(state, value):
    """The state with a message; the same where it had it."""
    _, number, author = value
    if number is None:
        return state
    first = int.from_bytes(state[0:8], "big")
    messages, authors = int.from_bytes(state[8:12], "big"), int.from_bytes(state[12:16], "big")
    names_end = HEADER + int.from_bytes(state[16:20], "big")
    names, bits = state[HEADER:names_end], bytearray(state[names_end:])
    if not bits:
        first = number & ~7
    at = (number - first) >> 3
    if at < 0:
        before = GROWTH - at
        bits, first, at = bytearray(before) + bits, first - before * 8, at + before
    elif at >= len(bits):
        bits.extend(bytes(at - len(bits) + GROWTH))
    bit = 1 << ((number - first) & 7)
    if bits[at] & bit:
        return state
    bits[at] |= bit
    name = b"\0" + author.encode() + b"\0"
    if name not in names:
        names, authors = names + name, authors + 1
    header = first.to_bytes(8, "big") + (messages + 1).to_bytes(4, "big") + authors.to_bytes(4, "big")
    return header + len(names).to_bytes(4, "big") + names + bytes(bits)


def row(window, key, timestamp, headers):
    state = window["value"]
    return {
        "key": key.decode(),
        "window_start": window["start"],
        "window_end": window["end"],
        "message_count": int.from_bytes(state[8:12], "big"),
        "participant_count": int.from_bytes(state[12:16], "big"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ["brokers", "input", "output", "application", "state-dir", "schema"]:
        parser.add_argument(f"--{name}", required=True)
    asked = parser.parse_args()
    client = {"fetch.message.max.bytes": 4 << 20, "queued.min.messages": 100_000, "fetch.queue.backoff.ms": 10}
    app = Application(
        broker_address=asked.brokers,
        consumer_group=asked.application,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=0.1,
        state_dir=asked.state_dir,
        rocksdb_options=RocksDBOptions(dumps=dumps, loads=loads),
        consumer_extra_config={**client, "isolation.level": "read_committed"},
        producer_extra_config={"compression.type": "lz4", "linger.ms": 100, "batch.size": 1_000_000},
        loglevel="WARNING",
    )
    source = app.topic(
        asked.input,
        key_deserializer="bytes",
        value_deserializer=Reader(asked.schema),
        timestamp_extractor=lambda value, headers, timestamp, kind: value[0],
    )
    target = app.topic(asked.output, key_serializer="bytes", value_serializer="json")
    frame = app.dataframe(source)
    # Settings are not for windows; what ends a chat has to reach them, since nothing else moves its time on.
    frame = frame.filter(lambda value: value[1] is not None or value[2])
    windows = frame.tumbling_window(HOUR_MS, grace_ms=GRACE_MS, on_late=lambda *late: False)
    frame = windows.reduce(reducer=with_message, initializer=initial).final()
    frame = frame.apply(row, metadata=True).filter(lambda value: value["message_count"] > 0)
    frame.to_topic(target)
    app.run()


def dumps(value):
    """Windows as they are; the store's own numbers as JSON, which begins with no b."""
    return b"b" + value if isinstance(value, bytes) else orjson.dumps(value)


def loads(value):
    return value[1:] if value[:1] == b"b" else orjson.loads(value)


if __name__ == "__main__":
    main()
