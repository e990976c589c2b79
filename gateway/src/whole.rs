//! Work of several steps that is done to its end, also where whoever asked for it has gone meanwhile.
//!
//! Invariant: a change and its line of the audit log are not parted by a client that hangs up or an answer that takes too long.

use crate::problem::Problem;

/// Does the work on a task of its own.
///
/// # Errors
/// Those of the work.
pub(crate) async fn whole<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work).await.map_err(|error| Problem::internal(&error))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_was_begun_is_done_although_nobody_waits() {
        let (begin, begun) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let work = whole(async move {
            begun.await.map_err(|error| Problem::internal(&error))?;
            tell.send(7).map_err(|_| Problem::internal(&"nobody hears"))
        });
        // Asked once, and then forgotten.
        assert!(work.now_or_never().is_none());
        begin.send(()).unwrap();
        assert_eq!(told.await, Ok(7));
    }
}
