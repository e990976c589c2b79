"""What is really in the topics, read committed, with Confluent's client and its Avro deserializer."""

import json
import os
import pathlib
import subprocess

READER = pathlib.Path(__file__).resolve().parents[2] / "python" / "read_topics.py"


def read(topics):
    """The committed records of topics, by the names that the map gives them."""
    prefix = os.environ["GISTMILL_PREFIX"]
    command = [os.environ["TEST_GISTMILL_PYTHON"], str(READER), "--timeout", "180"]
    command += ["--brokers", os.environ["GISTMILL_KAFKA__BROKERS"], "--registry", os.environ["GISTMILL_REGISTRY__URL"]]
    for topic in topics:
        command += ["--topic", f"{prefix}.{topic}"]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    for line in lines:
        record = json.loads(line)
        record["topic"] = record["topic"].removeprefix(f"{prefix}.")
        yield record


def messages(tenant):
    """How often each message is in the log, by group and id."""
    found = {}
    for record in read(["group.message.ingested.v1"]):
        value = record["value"]
        if value["tenant_id"] != tenant:
            continue
        for message in value["messages"]:
            key = (value["group_id"], message["id"])
            found[key] = found.get(key, 0) + 1
    return found


def events(tenant, topics, start):
    """Records that a listener of a tenant is told, by place, from the places at which it began."""
    found = {}
    for record in read(topics.values()):
        letter = next(letter for letter, topic in topics.items() if topic == record["topic"])
        is_later = record["offset"] >= start[(letter, record["partition"])]
        if is_later and record["key"].startswith(f"{tenant}/"):
            found[(record["topic"], record["partition"], record["offset"])] = record["value"]
    return found
