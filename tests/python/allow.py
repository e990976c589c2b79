"""An administrator's hand on a secured broker, with Confluent's client: makes a user who logs in by SCRAM, and allows
that user what a file lists, in the form of `gistmill topology acl --json`.

Usage: allow.py USER PASSWORD FILE; broker and administrator come from the variables of `gistmill stack env`.
"""

import json
import os
import sys

from confluent_kafka.admin import (
    AclBinding, AclOperation, AclPermissionType, AdminClient, ResourcePatternType, ResourceType,
    ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion,
)

SEPARATOR = "\0"


def properties(text):
    pairs = text.replace(";;", SEPARATOR).split(";")
    return dict(pair.replace(SEPARATOR, ";").split("=", 1) for pair in pairs)


def bindings(user, acls):
    for acl in acls:
        kind = ResourceType.BROKER if acl["resource"] == "cluster" else ResourceType[acl["resource"].upper()]
        pattern = ResourcePatternType.PREFIXED if acl["is_prefix"] else ResourcePatternType.LITERAL
        operation = AclOperation[acl["operation"].upper()]
        yield AclBinding(kind, acl["name"], pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)


def main(user, password, file):
    settings = properties(os.environ["GISTMILL_KAFKA__PROPERTIES"])
    admin = AdminClient({**settings, "bootstrap.servers": os.environ["GISTMILL_KAFKA__BROKERS"]})
    # The broker takes one mechanism of a user at a time.
    for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
        credential = ScramCredentialInfo(mechanism, 4096)
        made = admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, credential, password.encode())])
        made[user].result()
    with open(file) as lists:
        acls = [acl for of_unit in json.load(lists).values() for acl in of_unit]
    for answer in admin.create_acls(list(set(bindings(user, acls)))).values():
        answer.result()


main(*sys.argv[1:])
