//! Members that leave their groups. librdkafka lets a static member's session run out instead (KIP-345).
//!
//! Invariant: a member is named by its instance and by the id that it was given: whoever has the name now stays.

use crate::{Cluster, Error, questions::text, requests::Request};
use kafka_protocol::{
    ResponseError,
    messages::{
        BrokerId, FindCoordinatorRequest, LeaveGroupRequest, find_coordinator_response::Coordinator,
        leave_group_request::MemberIdentity,
    },
};
use std::collections::BTreeMap;

/// The kind of coordinator that groups have.
const OF_GROUPS: i8 = 0;

/// A static member of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// `group.id`.
    pub group: String,
    /// `group.instance.id`.
    pub instance: String,
    /// What the coordinator has named it.
    pub id: String,
}

/// Takes members out of their groups; of each that stays although it is the one that is meant, why. One that is gone, or
/// whose name somebody else has taken over, is none of them.
///
/// # Errors
/// A broker is away, or does not take the requests at all.
pub fn leave(cluster: &mut Cluster, members: &[Member]) -> Result<Vec<Error>, Error> {
    let mut by_group: BTreeMap<&str, Vec<MemberIdentity>> = BTreeMap::new();
    for member in members {
        let identity = MemberIdentity::default()
            .with_member_id(text(&member.id))
            .with_group_instance_id(Some(text(&member.instance)));
        by_group.entry(&member.group).or_default().push(identity);
    }
    let groups: Vec<&str> = by_group.keys().copied().collect();
    let (coordinators, mut stay) = coordinators(cluster, &groups)?;
    for (group, identities) in by_group {
        let Some(node) = coordinators.get(group) else { continue };
        let request = LeaveGroupRequest::default().with_group_id(text(group).into()).with_members(identities);
        let answer = cluster.call(*node, &request)?;
        let codes = answer.members.iter().map(|member| member.error_code);
        stay.extend(std::iter::once(answer.error_code).chain(codes).filter_map(|code| refused(group, code)));
    }
    Ok(stay)
}

/// A refusal that leaves the member where it is.
fn refused(group: &str, code: i16) -> Option<Error> {
    let code = ResponseError::try_from_code(code)?;
    let is_gone = matches!(code, ResponseError::UnknownMemberId | ResponseError::FencedInstanceId);
    let (request, subject) = (LeaveGroupRequest::NAME, group.to_owned());
    (!is_gone).then_some(Error::Refused { request, subject, code })
}

/// The brokers that coordinate groups, and of the groups without one, why.
fn coordinators(
    cluster: &mut Cluster,
    groups: &[&str],
) -> Result<(BTreeMap<String, i32>, Vec<Error>), Error> {
    let request = FindCoordinatorRequest::default()
        .with_key_type(OF_GROUPS)
        .with_coordinator_keys(groups.iter().map(|group| text(group)).collect());
    let node = cluster.brokers().first().copied().unwrap_or_default();
    let (mut found, mut none) = (BTreeMap::new(), Vec::new());
    for Coordinator { key, node_id: BrokerId(node), error_code, .. } in
        cluster.call(node, &request)?.coordinators
    {
        match ResponseError::try_from_code(error_code) {
            None => drop(found.insert(key.to_string(), node)),
            Some(code) => {
                let (request, subject) = (FindCoordinatorRequest::NAME, key.to_string());
                none.push(Error::Refused { request, subject, code });
            }
        }
    }
    Ok((found, none))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_gone_or_whose_name_is_taken_is_not_refused() {
        assert!(refused("g", 0).is_none());
        assert!(refused("g", ResponseError::UnknownMemberId.code()).is_none());
        assert!(refused("g", ResponseError::FencedInstanceId.code()).is_none());
        let error = refused("g", ResponseError::GroupAuthorizationFailed.code()).expect("refused");
        assert!(error.is_missing_permission() && error.to_string().contains("LeaveGroupRequest for g"));
    }
}
