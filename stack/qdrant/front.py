"""A development front for Qdrant: the calls of its gRPC interface that the pipeline and its tests make, answered by the
engine of Qdrant itself (the package `qdrant-edge-py`). Not for production: one process, exact search, no access control.
It says what it is in answer to a health check."""
import argparse
import signal
import threading
from concurrent import futures

import grpc
import qdrant_edge as edge

from front_store import Store
from front_wire import (CODE, TITLE, Refused, collections_pb2, enabled, filter_of, id_in, point_out, qdrant_pb2, unknown,
                        value_out, wire, wrong)

VERSION = "1.19.0"  # clients of one minor version more or less accept it
FIELD_TYPES = [edge.PayloadSchemaType.Keyword, edge.PayloadSchemaType.Integer, edge.PayloadSchemaType.Float]


def answering(method):
    def answer(self, request, context):
        try:
            return method(self, request)
        except Refused as error:
            context.abort(error.code, str(error))
        except (TypeError, ValueError) as error:
            context.abort(CODE.INVALID_ARGUMENT, f"Wrong input: {error}")
        except Exception as error:  # noqa: BLE001, the engine has no other kind
            context.abort(CODE.INTERNAL, str(error))
    return answer


class Health(wire.QdrantServicer):
    @answering
    def HealthCheck(self, _):
        return qdrant_pb2.HealthCheckReply(title=TITLE, version=VERSION)


class Collections(wire.CollectionsServicer):
    def __init__(self, store):
        self.store = store

    @answering
    def Create(self, request):
        self.store.create(request)
        return wire.CollectionOperationResponse(result=True)

    @answering
    def Delete(self, request):
        return wire.CollectionOperationResponse(result=self.store.delete(request.collection_name))

    @answering
    def List(self, _):
        names = sorted(self.store.collections)
        return wire.ListCollectionsResponse(collections=[wire.CollectionDescription(name=name) for name in names])

    @answering
    def CollectionExists(self, request):
        name = request.collection_name
        found = name in self.store.collections or name in self.store.aliases
        return wire.CollectionExistsResponse(result=wire.CollectionExists(exists=found))

    @answering
    def Get(self, request):
        collection = self.store.get(request.collection_name)
        with collection.lock:
            found = collection.shard.info()
            count = found.points_count
        info = wire.CollectionInfo(status=collections_pb2.Green, points_count=count, segments_count=1)
        info.optimizer_status.ok = True
        info.config.params.shard_number = 1
        params = info.config.params.vectors_config.params
        params.size, params.distance = collection.made["size"], collection.made["distance"]
        for name, indexed in found.payload_schema.items():
            info.payload_schema[name].data_type = FIELD_TYPES.index(indexed.data_type) + 1
        for name, value in collection.made["metadata"].items():
            info.config.metadata[name].CopyFrom(value_out(value))
        return wire.GetCollectionInfoResponse(result=info)

    @answering
    def UpdateAliases(self, request):
        self.store.change_aliases(request.actions)
        return wire.CollectionOperationResponse(result=True)

    def aliases(self, only=None):
        pairs = [pair for pair in sorted(self.store.aliases.items()) if only in (None, pair[1])]
        said = [wire.AliasDescription(alias_name=alias, collection_name=target) for alias, target in pairs]
        return wire.ListAliasesResponse(aliases=said)

    @answering
    def ListAliases(self, _):
        return self.aliases()

    @answering
    def ListCollectionAliases(self, request):
        return self.aliases(request.collection_name)


class Points(wire.PointsServicer):
    def __init__(self, store):
        self.store = store

    @answering
    def Upsert(self, request):
        collection = self.store.get(request.collection_name)
        return wire.PointsOperationResponse(result=collection.apply([collection.upsert(request)]))

    @answering
    def Delete(self, request):
        collection = self.store.get(request.collection_name)
        return wire.PointsOperationResponse(result=collection.apply([collection.delete(request.points)]))

    @answering
    def UpdateBatch(self, request):
        collection, operations = self.store.get(request.collection_name), []
        for operation in request.operations:
            kind = operation.WhichOneof("operation")
            if kind == "upsert":
                operations.append(collection.upsert(operation.upsert))
            elif kind == "delete_points":
                operations.append(collection.delete(operation.delete_points.points))
            else:
                raise unknown(f"the operation {kind}")
        return wire.UpdateBatchResponse(result=[collection.apply(operations)] * len(operations))

    @answering
    def CreateFieldIndex(self, request):
        if not 0 <= request.field_type < len(FIELD_TYPES) or request.HasField("field_index_params"):
            raise unknown("an index of this kind")
        made = edge.UpdateOperation.create_field_index(request.field_name, FIELD_TYPES[request.field_type])
        return wire.PointsOperationResponse(result=self.store.get(request.collection_name).apply([made]))

    @answering
    def Get(self, request):
        shard = self.store.get(request.collection_name).shard
        ids = [id_in(one) for one in request.ids]
        found = shard.retrieve(ids, enabled(request, "with_payload"), enabled(request, "with_vectors"))
        return wire.GetResponse(result=[point_out(wire.RetrievedPoint, point) for point in found])

    @answering
    def Scroll(self, request):
        if request.HasField("order_by"):
            raise unknown("order_by")
        limit = request.limit if request.HasField("limit") else 10
        if limit < 1:
            raise wrong("limit must be at least 1")
        scroll = edge.ScrollRequest(
            offset=id_in(request.offset) if request.HasField("offset") else None, limit=limit,
            filter=filter_of(request), with_payload=enabled(request, "with_payload", True),
            with_vector=enabled(request, "with_vectors"))
        found, following = self.store.get(request.collection_name).shard.scroll(scroll)
        points = [point_out(wire.RetrievedPoint, point) for point in found]
        response = wire.ScrollResponse(result=points)
        if following is not None:
            is_number = isinstance(following, int)
            response.next_page_offset.CopyFrom(
                wire.PointId(num=following) if is_number else wire.PointId(uuid=str(following)))
        return response

    @answering
    def Count(self, request):
        shard = self.store.get(request.collection_name).shard
        count = shard.count(edge.CountRequest(exact=True, filter=filter_of(request)))
        return wire.CountResponse(result=wire.CountResult(count=count))

    @answering
    def Query(self, request):
        known = {"collection_name", "query", "filter", "params", "score_threshold", "limit", "offset", "with_payload",
                 "with_vectors", "timeout", "read_consistency"}
        if others := {descriptor.name for descriptor, _ in request.ListFields()} - known:
            raise unknown(f"a query with {sorted(others)}")
        if request.query.WhichOneof("variant") != "nearest" or request.query.nearest.WhichOneof("variant") != "dense":
            raise unknown("a query for anything but what is nearest to a dense vector")
        collection = self.store.get(request.collection_name)
        numbers = collection.checked(list(request.query.nearest.dense.data))
        found = collection.shard.query(edge.QueryRequest(
            limit=request.limit if request.HasField("limit") else 10,
            offset=request.offset if request.HasField("offset") else 0,
            query=edge.Query.Nearest(numbers, None), filter=filter_of(request),
            score_threshold=request.score_threshold if request.HasField("score_threshold") else None,
            params=edge.SearchParams(exact=True), with_payload=enabled(request, "with_payload"),
            with_vector=enabled(request, "with_vectors")))
        points = [point_out(wire.ScoredPoint, point, score=point.score, version=point.version) for point in found]
        return wire.QueryResponse(result=points)


def main():
    arguments = argparse.ArgumentParser(description=TITLE)
    arguments.add_argument("--data", required=True)
    arguments.add_argument("--port", type=int, required=True)
    given = arguments.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    store = Store(given.data)
    options = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", -1),
               ("grpc.so_reuseport", 0)]
    server = grpc.server(futures.ThreadPoolExecutor(4), options=options)
    wire.add_QdrantServicer_to_server(Health(), server)
    wire.add_CollectionsServicer_to_server(Collections(store), server)
    wire.add_PointsServicer_to_server(Points(store), server)
    if not server.add_insecure_port(f"127.0.0.1:{given.port}"):
        raise SystemExit(f"port {given.port} is taken")
    server.start()
    print(f"{TITLE}: listening on 127.0.0.1:{given.port}, collections: {len(store.collections)}", flush=True)
    stop.wait()
    server.stop(5).wait()
    store.close()


if __name__ == "__main__":
    main()
