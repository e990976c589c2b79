//! What a principal lacks that a broker lets in but does not let do something.

use rdkafka::error::RDKafkaErrorCode;

/// What is missing when a broker answers with this code, and where it is listed; none when the answer is another one.
pub fn missing_permission(code: RDKafkaErrorCode) -> Option<&'static str> {
    match code {
        RDKafkaErrorCode::TopicAuthorizationFailed => Some(
            "the user of these settings has no ACL that allows it on the topic: `gistmill topology acl` lists those \
             that each unit needs",
        ),
        RDKafkaErrorCode::GroupAuthorizationFailed => Some(
            "the user of these settings has no ACL that allows it on the consumer group: `gistmill topology acl` \
             lists those that each unit needs",
        ),
        RDKafkaErrorCode::TransactionalIdAuthorizationFailed => Some(
            "the user of these settings has no ACL that allows it on the transactional id: `gistmill topology acl` \
             lists those that each unit needs",
        ),
        RDKafkaErrorCode::ClusterAuthorizationFailed => Some(
            "the user of these settings has no ACL that allows it on the cluster: `gistmill topology acl` lists \
             those that each command needs",
        ),
        _ => None,
    }
}

/// `text` about an error, with what is missing where it is a permission.
pub fn with_missing_permission(text: String, code: Option<RDKafkaErrorCode>) -> String {
    match code.and_then(missing_permission) {
        Some(missing) => format!("{text}; {missing}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_resource_is_named() {
        let named = |code| with_missing_permission("no".to_owned(), Some(code));
        let group = named(RDKafkaErrorCode::GroupAuthorizationFailed);
        assert!(group.starts_with("no; ") && group.contains("on the consumer group"), "{group}");
        let id = named(RDKafkaErrorCode::TransactionalIdAuthorizationFailed);
        assert!(id.contains("on the transactional id"), "{id}");
        assert_eq!(named(RDKafkaErrorCode::OperationTimedOut), "no");
    }
}
