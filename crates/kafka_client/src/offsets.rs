//! Committed offsets, asked of the broker that keeps them now.

use rdkafka::{
    TopicPartitionList,
    consumer::{Consumer, ConsumerContext},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Between two questions while a coordinator moves.
const RETRY: Duration = Duration::from_millis(200);

/// The committed offsets of a consumer's group. A coordinator that moves to another broker, as it does when its broker
/// dies, is asked for anew until `within` is over: the client library finds the new one, but hands the old one's refusal on.
///
/// # Errors
/// No broker answers in time, or it refuses.
pub fn committed_offsets<X: ConsumerContext>(
    consumer: &impl Consumer<X>,
    partitions: &TopicPartitionList,
    within: Duration,
) -> KafkaResult<TopicPartitionList> {
    let until = Instant::now() + within;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match consumer.committed_offsets(partitions.clone(), left.max(RETRY)) {
            Err(error) if is_moving(&error) && left > RETRY => thread::sleep(RETRY),
            answer => return answer,
        }
    }
}

/// Whether the coordinator of a group is another broker now, or will be.
fn is_moving(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::NotCoordinator
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_coordinator_that_moves_is_asked_again() {
        let asked = |code| is_moving(&KafkaError::MetadataFetch(code));
        assert!(
            asked(RDKafkaErrorCode::NotCoordinator) && asked(RDKafkaErrorCode::CoordinatorLoadInProgress)
        );
        assert!(!asked(RDKafkaErrorCode::GroupAuthorizationFailed));
        assert!(!asked(RDKafkaErrorCode::OperationTimedOut));
    }
}
