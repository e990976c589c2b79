"""Qdrant's messages as the engine's values and back. What is not known here is refused, never ignored, so that a filter is
never wider than it was asked to be."""
import importlib.util
import sys
import types
import uuid

import grpc
import qdrant_edge as edge

# Only the messages and services are wanted, not the client around them, which loads numpy and pydantic.
_package = types.ModuleType("qdrant_client")
_package.__path__ = list(importlib.util.find_spec("qdrant_client").submodule_search_locations)
sys.modules["qdrant_client"] = _package
from qdrant_client import grpc as wire  # noqa: E402
from qdrant_client.grpc import collections_pb2, qdrant_pb2  # noqa: E402, F401

TITLE = "gistmill development front"
CODE = grpc.StatusCode


class Refused(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def wrong(text):
    return Refused(CODE.INVALID_ARGUMENT, f"Wrong input: {text}")


def unknown(text):
    return Refused(CODE.UNIMPLEMENTED, f"{TITLE}: {text} is not supported")


def value_in(value):
    kind = value.WhichOneof("kind")
    if kind in (None, "null_value"):
        return None
    if kind == "struct_value":
        return payload_in(value.struct_value.fields)
    if kind == "list_value":
        return [value_in(item) for item in value.list_value.values]
    return getattr(value, kind)


def payload_in(fields):
    return {name: value_in(value) for name, value in fields.items()}


def id_in(point_id):
    kind = point_id.WhichOneof("point_id_options")
    if kind == "num":
        return point_id.num
    if kind != "uuid":
        raise wrong("a point has no id")
    try:
        return uuid.UUID(point_id.uuid)
    except ValueError as error:
        raise wrong(f"unable to parse UUID {point_id.uuid!r}") from error


def dense_in(vector):
    """The numbers of a vector in one of the two ways in which clients send it."""
    kind = vector.WhichOneof("vector")
    if kind == "dense":
        return list(vector.dense.data)
    if kind is not None or vector.HasField("indices") or vector.HasField("vectors_count"):
        raise unknown("a vector that is not dense")
    return list(vector.data)


def match_in(match):
    kind = match.WhichOneof("match_value")
    if kind in ("keyword", "integer", "boolean"):
        return edge.MatchValue(getattr(match, kind))
    if kind == "keywords":
        return edge.MatchAny(list(match.keywords.strings))
    if kind == "integers":
        return edge.MatchAny(list(match.integers.integers))
    raise unknown(f"the match {kind}")


def condition_in(condition):
    kind = condition.WhichOneof("condition_one_of")
    if kind == "filter":
        return filter_in(condition.filter)
    if kind == "has_id":
        return edge.HasIdCondition({id_in(one) for one in condition.has_id.has_id})
    if kind == "is_empty":
        return edge.IsEmptyCondition(condition.is_empty.key)
    if kind != "field":
        raise unknown(f"the condition {kind}")
    field = condition.field
    given = {descriptor.name for descriptor, _ in field.ListFields()} - {"key"}
    if given == {"match"}:
        return edge.FieldCondition(field.key, match=match_in(field.match))
    if given == {"range"}:
        bounds = {name: getattr(field.range, name) for name in ("gt", "gte", "lt", "lte") if field.range.HasField(name)}
        return edge.FieldCondition(field.key, range=edge.RangeFloat(**bounds))
    raise unknown(f"a condition of {sorted(given)}")


def filter_in(given):
    if given.HasField("min_should"):
        raise unknown("min_should")
    parts = {name: [condition_in(one) for one in getattr(given, name)] or None for name in ("must", "should", "must_not")}
    return edge.Filter(**parts)


def filter_of(request, name="filter"):
    return filter_in(getattr(request, name)) if request.HasField(name) else None


def enabled(request, name, default=False):
    if not request.HasField(name):
        return default
    selector = getattr(request, name)
    if selector.WhichOneof("selector_options") != "enable":
        raise unknown(f"a choice of fields in {name}")
    return selector.enable


def value_out(value):
    if value is None:
        return wire.Value(null_value=0)
    for kind, name in ((bool, "bool_value"), (int, "integer_value"), (float, "double_value"), (str, "string_value")):
        if isinstance(value, kind):
            return wire.Value(**{name: value})
    if isinstance(value, dict):
        return wire.Value(struct_value=wire.Struct(fields={name: value_out(one) for name, one in value.items()}))
    return wire.Value(list_value=wire.ListValue(values=[value_out(one) for one in value]))


def point_out(kind, point, **more):
    point_id = wire.PointId(num=point.id) if isinstance(point.id, int) else wire.PointId(uuid=str(point.id))
    vectors = None
    if point.vector is not None:
        vectors = wire.VectorsOutput(vector=wire.VectorOutput(dense=wire.DenseVector(data=point.vector)))
    payload = {name: value_out(value) for name, value in (point.payload or {}).items()}
    return kind(id=point_id, payload=payload, vectors=vectors, **more)
