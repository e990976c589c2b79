"""Measures how soon an event is heard after its commit: one record in a transaction of its own, again and again.

The record is the newest of its topic, written once more: processors should not run.
"""

import argparse
import http.client
import random
import threading
import time

from confluent_kafka import Consumer, Producer, TopicPartition


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--topic", required=True, help="physical name")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--events", type=int, default=300)
    parser.add_argument("--profile", default="unknown")
    return parser.parse_args()


def newest(brokers, topic):
    """A record near the end of a topic."""
    settings = {"bootstrap.servers": brokers, "group.id": "load", "isolation.level": "read_committed"}
    consumer = Consumer({**settings, "enable.auto.commit": False})
    for partition in consumer.list_topics(topic, timeout=15).topics[topic].partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=15)
        if high > low:
            consumer.assign([TopicPartition(topic, partition, max(low, high - 2))])
            message = consumer.poll(15)
            consumer.close()
            return message
    raise LookupError(f"{topic} is empty")


class Ear(threading.Thread):
    """Hears events, and notes when."""

    def __init__(self, port, key):
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.request("GET", "/api/v1/events", headers={"Authorization": f"Bearer {key}"})
        self._answer = self._connection.getresponse()
        if self._answer.status != 200:
            raise RuntimeError(f"events are answered with {self._answer.status}")
        self.heard, self.last = threading.Semaphore(0), 0.0

    def run(self):
        while line := self._answer.readline():
            if line.startswith(b"data:"):
                self.last = time.monotonic()
                self.heard.release()


def percentiles(name, times):
    times = sorted(times)
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))] * 1000
    print(f"{name}: p50 {at(0.5):.1f} ms, p99 {at(0.99):.1f} ms, max {times[-1] * 1000:.1f} ms")


def main():
    options = arguments()
    record = newest(options.brokers, options.topic)
    producer = Producer({"bootstrap.servers": options.brokers, "transactional.id": "gateway-load", "linger.ms": 0})
    producer.init_transactions(30)
    ear = Ear(options.port, options.key)
    ear.start()
    chance, asked, told = random.Random(1), [], []
    for _ in range(options.events):
        time.sleep(chance.uniform(0.0, 0.1))
        producer.begin_transaction()
        headers = record.headers() or []
        producer.produce(record.topic(), record.value(), record.key(), partition=record.partition(), headers=headers)
        producer.flush(30)
        began = time.monotonic()
        producer.commit_transaction(30)
        committed = time.monotonic()
        if not ear.heard.acquire(timeout=30):
            raise TimeoutError("an event was not heard within 30 s")
        asked.append(ear.last - began)
        told.append(ear.last - committed)
    percentiles(f"{options.events} events, heard after their commit was asked for", asked)
    percentiles("after it was answered (below 0: heard before the producer knew)", told)
    load = " ".join(open("/proc/loadavg").read().split()[:2])
    print(f"load average {load}; build profile {options.profile}")


if __name__ == "__main__":
    main()
