"""Collections and aliases in a directory. Names, sizes and numbers are checked before the engine sees an operation: it keeps in
its log what it refuses afterwards, and would meet it again after a crash."""
import json
import math
import os
import shutil
import threading
import urllib.parse

import qdrant_edge as edge

from front_wire import (CODE, Refused, collections_pb2, dense_in, filter_in, filter_of, id_in, payload_in, unknown, wire,
                        wrong)

DISTANCES = {collections_pb2.Cosine: edge.Distance.Cosine, collections_pb2.Dot: edge.Distance.Dot,
             collections_pb2.Euclid: edge.Distance.Euclid, collections_pb2.Manhattan: edge.Distance.Manhattan}


def write_json(path, content):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


class Collection:
    """One shard of the engine and what was said when it was made."""

    def __init__(self, path, made=None):
        self.lock, self.operations = threading.RLock(), 0
        self.path, shard = path, os.path.join(path, "shard")
        if made is not None:
            os.makedirs(shard)
            params = edge.EdgeVectorParams(made["size"], DISTANCES[made["distance"]])
            self.shard = edge.EdgeShard.create(shard, edge.EdgeConfig(vectors=params))
            write_json(os.path.join(path, "made.json"), made)
        else:
            self.shard = edge.EdgeShard.load(shard)
        with open(os.path.join(path, "made.json"), encoding="utf-8") as file:
            self.made = json.load(file)

    def checked(self, numbers):
        if len(numbers) != self.made["size"]:
            raise wrong(f"Vector dimension error: expected dim: {self.made['size']}, got {len(numbers)}")
        if not all(map(math.isfinite, numbers)):
            raise wrong("a vector holds a number that is not finite")
        return numbers

    def point(self, point):
        if point.vectors.WhichOneof("vectors_options") != "vector":
            raise unknown("a point without its one vector")
        numbers = self.checked(dense_in(point.vectors.vector))
        return edge.Point(id_in(point.id), numbers, payload_in(point.payload))

    def apply(self, operations):
        with self.lock:
            for operation in operations:
                self.shard.update(operation)
                self.operations += 1
            return wire.UpdateResult(operation_id=self.operations, status=wire.UpdateStatus.Completed)

    def upsert(self, request):
        if request.HasField("update_mode") and request.update_mode:
            raise unknown("update_mode")
        points = [self.point(point) for point in request.points]
        return edge.UpdateOperation.upsert_points(points, filter_of(request, "update_filter"))

    @staticmethod
    def delete(selector):
        kind = selector.WhichOneof("points_selector_one_of")
        if kind == "points":
            return edge.UpdateOperation.delete_points([id_in(one) for one in selector.points.ids])
        if kind == "filter":
            return edge.UpdateOperation.delete_points_by_filter(filter_in(selector.filter))
        raise wrong("no points are selected")


class Store:
    """Every collection and alias of a directory."""

    def __init__(self, root):
        self.root, self.lock = os.path.join(root, "collections"), threading.RLock()
        self.alias_path, self.aliases, self.collections = os.path.join(root, "aliases.json"), {}, {}
        os.makedirs(self.root, exist_ok=True)
        if os.path.exists(self.alias_path):
            with open(self.alias_path, encoding="utf-8") as file:
                self.aliases = json.load(file)
        for entry in os.listdir(self.root):
            path = os.path.join(self.root, entry)
            if entry.startswith("."):
                shutil.rmtree(path)  # an interrupted creation or deletion
            else:
                self.collections[urllib.parse.unquote(entry)] = Collection(path)

    def path(self, name, mark=""):
        return os.path.join(self.root, mark + urllib.parse.quote(name, safe="").replace(".", "%2E"))

    def get(self, name):
        with self.lock:
            found = self.collections.get(self.aliases.get(name, name))
        if found is None:
            raise Refused(CODE.NOT_FOUND, f"Not found: Collection `{name}` doesn't exist!")
        return found

    def create(self, request):
        name, config = request.collection_name, request.vectors_config
        known = {"collection_name", "vectors_config", "metadata", "timeout"}
        if others := {descriptor.name for descriptor, _ in request.ListFields()} - known:
            raise unknown(f"a collection with {sorted(others)}")
        if config.WhichOneof("config") != "params":
            raise unknown("a collection without its one unnamed vector")
        if not name or config.params.distance not in DISTANCES or not 1 <= config.params.size <= 65536:
            raise wrong("a collection needs a name, a distance and a size of 1 to 65536")
        with self.lock:
            if name in self.collections or name in self.aliases:
                raise Refused(CODE.ALREADY_EXISTS, f"Wrong input: Collection `{name}` already exists!")
            making = self.path(name, ".new-")
            made = {"size": config.params.size, "distance": config.params.distance,
                    "metadata": payload_in(request.metadata)}
            Collection(making, made).shard.close()
            os.rename(making, self.path(name))
            self.collections[name] = Collection(self.path(name))

    def delete(self, name):
        with self.lock:
            gone = self.collections.pop(name, None)
            if gone is None:
                return False
            with gone.lock:
                gone.shard.close()
            os.rename(self.path(name), self.path(name, ".gone-"))
            shutil.rmtree(self.path(name, ".gone-"))
            self.keep_aliases({alias: target for alias, target in self.aliases.items() if target != name})
            return True

    def keep_aliases(self, aliases):
        write_json(self.alias_path, aliases)
        self.aliases = aliases

    def change_aliases(self, actions):
        with self.lock:
            aliases = dict(self.aliases)
            for action in actions:
                kind = action.WhichOneof("action")
                if kind == "create_alias":
                    alias, target = action.create_alias.alias_name, action.create_alias.collection_name
                    if target not in self.collections:
                        raise Refused(CODE.NOT_FOUND, f"Not found: Collection `{target}` doesn't exist!")
                    if not alias or alias in self.collections:
                        raise wrong(f"{alias!r} cannot be an alias")
                    aliases[alias] = target
                elif kind == "delete_alias":
                    aliases.pop(action.delete_alias.alias_name, None)
                else:
                    raise unknown(f"the action {kind}")
            self.keep_aliases(aliases)

    def close(self):
        with self.lock:
            for collection in self.collections.values():
                with collection.lock:
                    collection.shard.flush()
                    collection.shard.close()
