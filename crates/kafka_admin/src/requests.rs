//! The requests of this crate, each at the one version that is used.

use kafka_protocol::{
    messages::{
        ApiVersionsRequest, ApiVersionsResponse, DescribeProducersRequest, DescribeProducersResponse,
        DescribeTransactionsRequest, DescribeTransactionsResponse, FetchRequest, FetchResponse,
        FindCoordinatorRequest, FindCoordinatorResponse, LeaveGroupRequest, LeaveGroupResponse,
        ListOffsetsRequest, ListOffsetsResponse, ListTransactionsRequest, ListTransactionsResponse,
        MetadataRequest, MetadataResponse, OffsetFetchRequest, OffsetFetchResponse, SaslAuthenticateRequest,
        SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse, WriteTxnMarkersRequest,
        WriteTxnMarkersResponse,
    },
    protocol::{Decodable, Encodable, HeaderVersion},
};

/// A request, at the one version of it that is used.
pub(crate) trait Request: Encodable + HeaderVersion {
    const NAME: &'static str;
    const KEY: i16;
    const VERSION: i16;
    type Answer: Decodable + HeaderVersion;
}

macro_rules! requests {
    ($($request:ident $key:literal $version:literal $answer:ident)+) => {$(
        impl Request for $request {
            const NAME: &'static str = stringify!($request);
            const KEY: i16 = $key;
            const VERSION: i16 = $version;
            type Answer = $answer;
        }
    )+};
}

// Versions that Kafka answers from 3.0 on; that of Fetch names topics, not their ids.
requests! {
    FetchRequest 1 11 FetchResponse
    ListOffsetsRequest 2 5 ListOffsetsResponse
    MetadataRequest 3 9 MetadataResponse
    OffsetFetchRequest 9 5 OffsetFetchResponse
    FindCoordinatorRequest 10 4 FindCoordinatorResponse
    LeaveGroupRequest 13 4 LeaveGroupResponse
    SaslHandshakeRequest 17 1 SaslHandshakeResponse
    SaslAuthenticateRequest 36 1 SaslAuthenticateResponse
    ApiVersionsRequest 18 0 ApiVersionsResponse
    WriteTxnMarkersRequest 27 1 WriteTxnMarkersResponse
    DescribeProducersRequest 61 0 DescribeProducersResponse
    DescribeTransactionsRequest 65 0 DescribeTransactionsResponse
    ListTransactionsRequest 66 0 ListTransactionsResponse
}
