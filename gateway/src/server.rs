//! The process: listens, serves, and ends in order.
//!
//! Invariant: no client can hold more than a connection, and that not for ever without a request, nor without taking its answer;
//! once it is to end, nothing new is accepted, and what was begun gets its time.

use crate::{
    app::{App, StartError, set},
    events::Events,
    impatient::Impatient,
    observe::HEADERS_IN,
    router::router,
};
use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use runtime::Config;
use std::{future::Future, net::IpAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tracing::{debug, info, warn};

/// Time between two looks at the broker.
const BROKER_EVERY: Duration = Duration::from_secs(5);
/// Longest that a client may take nothing of an answer: it holds a connection, and a listener's place besides.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// Wait after a connection could not be accepted, as for want of descriptors.
const ACCEPT_WAIT: Duration = Duration::from_millis(100);

/// Serves until SIGTERM or SIGINT, on threads of its own.
///
/// # Errors
/// [`StartError`].
pub fn run(config: Config) -> Result<(), StartError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("gateway")
        .enable_all()
        .build()
        .map_err(set("start the async runtime"))?;
    let drain = Duration::from_secs(config.gateway.drain_s);
    let ended = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(set("listen for signals"))?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(set("listen for signals"))?;
        let address = config.gateway.listen;
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| StartError::Listen { address, source })?;
        let stop = async move {
            tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
        };
        serve(listener, App::new(config).await?, stop).await
    });
    // Looks at the broker that nobody waits for any more.
    runtime.shutdown_timeout(drain.min(Duration::from_secs(1)));
    ended
}

/// Serves on `listener` until `stop` resolves.
///
/// # Errors
/// Routes and document differ.
pub async fn serve(
    listener: TcpListener,
    app: App,
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let router = router(&app)?;
    if let Ok(address) = listener.local_addr() {
        info!(%address, "gateway listens");
    }
    watch_broker(&app)?;
    Events::start(&app)?;
    let permits = Arc::new(Semaphore::new(app.0.config.gateway.connections_max));
    let (mut connections, mut stop) = (JoinSet::new(), pin!(stop));
    loop {
        // One more is accepted only when there is room for it: until then it waits in the system's queue.
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (listener.accept().await, permit)
        };
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = accepted => match accepted {
                (Ok((stream, from)), Ok(permit)) => {
                    let peer = Peer(from.ip());
                    connections.spawn(connection((stream, peer), router.clone(), app.clone(), permit));
                }
                (Err(error), _) => {
                    debug!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_WAIT).await;
                }
                (_, Err(_)) => break,
            }
        }
    }
    drop(listener);
    app.stop();
    let drain = Duration::from_secs(app.0.config.gateway.drain_s);
    info!(connections = connections.len(), "gateway stops");
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, all).await.is_err() {
        warn!(connections = connections.len(), "ended with requests that took too long");
    }
    app.0.store.close().await;
    Ok(())
}

/// The address that a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

async fn connection(
    (stream, peer): (TcpStream, Peer),
    router: Router,
    app: App,
    permit: OwnedSemaphorePermit,
) {
    let _permit = permit;
    app.0.metrics.connections.inc();
    // Answers are small, and somebody waits for each: what a socket does not take so is slower, not wrong.
    drop(stream.set_nodelay(true));
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_IN)
        .serve_connection(TokioIo::new(Impatient::new(stream, TAKEN_WITHIN)), service);
    let (mut served, mut stopping) = (pin!(served), app.0.stopping.subscribe());
    // The sender lives in `app`.
    let stopped = async { drop(stopping.wait_for(|stopping| *stopping).await) };
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stopped => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended early");
    }
    app.0.metrics.connections.dec();
}

/// Looks at the broker again and again, which blocks.
fn watch_broker(app: &App) -> Result<(), StartError> {
    let app = app.clone();
    let looking = move || {
        while !app.is_stopping() {
            let answers = operate::broker_answers(&app.0.config);
            if let Err(error) = &answers {
                warn!(%error, "the broker does not answer");
            }
            app.notes_broker(answers.is_ok());
            std::thread::park_timeout(BROKER_EVERY);
        }
    };
    std::thread::Builder::new()
        .name("broker".to_owned())
        .spawn(looking)
        .map(drop)
        .map_err(set("start a thread"))
}
