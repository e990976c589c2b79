"""Reads topics to their end as a stranger would: the broker, the registry and nothing of this repository.

Prints one JSON line for each committed record; ends with 1 if a record could not be decoded, with 2 if a topic is
missing or its end was not reached in time.
"""

import argparse
import base64
import datetime
import json
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--registry", required=True, help="root of the registry's Confluent API")
    parser.add_argument("--topic", action="append", required=True, help="physical name; may be repeated")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS")
    return parser.parse_args()


def consumer_at_the_beginning(brokers, topics):
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "stranger",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    known = consumer.list_topics(timeout=15).topics
    missing = [topic for topic in topics if topic not in known]
    if missing:
        raise LookupError(f"no such topic: {', '.join(missing)}")
    partitions = [
        TopicPartition(topic, partition, OFFSET_BEGINNING) for topic in topics for partition in known[topic].partitions
    ]
    consumer.assign(partitions)
    return consumer, {(each.topic, each.partition) for each in partitions}


def plain(value):
    """What JSON does not know: bytes as base64, times in UTC as ISO 8601."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds")
    raise TypeError(f"{type(value).__name__} is not expected in a record")


def text(raw):
    return None if raw is None else raw.decode("utf-8", errors="replace")


def described(message, deserializer):
    line = {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "key": text(message.key()),
        "headers": {name: text(raw) for name, raw in message.headers() or []},
    }
    context = SerializationContext(message.topic(), MessageField.VALUE)
    try:
        line["value"] = deserializer(message.value(), context)
    except Exception as error:  # whatever the deserializer makes of hostile bytes is the record's error, not ours
        line["error"] = f"{type(error).__name__}: {error}"
    return line


def read(options):
    """Yields a line for each record, until every partition has told its end."""
    deserializer = AvroDeserializer(SchemaRegistryClient({"url": options.registry}))
    consumer, open_partitions = consumer_at_the_beginning(options.brokers, options.topic)
    deadline = time.monotonic() + options.timeout
    try:
        while open_partitions:
            if time.monotonic() > deadline:
                raise TimeoutError(f"end of {sorted(open_partitions)} not reached in {options.timeout} s")
            message = consumer.poll(0.5)
            if message is None:
                continue
            if message.error() is None:
                yield described(message, deserializer)
            elif message.error().code() == KafkaError._PARTITION_EOF:
                open_partitions.discard((message.topic(), message.partition()))
            else:
                raise KafkaException(message.error())
    finally:
        consumer.close()


def main():
    options = arguments()
    failed = 0
    try:
        for line in read(options):
            failed += "error" in line
            print(json.dumps(line, ensure_ascii=False, default=plain))
    except (LookupError, TimeoutError, KafkaException) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
