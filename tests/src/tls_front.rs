//! TLS in front of a server that speaks none itself, as a pooler or a proxy has it; or nothing but a certificate.

use anyhow::Context;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// Bytes of Postgres' request for TLS.
const SSL_REQUEST_BYTES: usize = 8;

/// What a client says before TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    /// Nothing.
    None,
    /// Postgres' request for TLS, which is granted.
    Postgres,
}

/// A listener on the loopback address, for as long as this lives.
#[derive(Debug)]
pub struct TlsFront {
    address: SocketAddr,
    tasks: Option<Runtime>,
}

impl TlsFront {
    /// Listens on a free port with a certificate; what comes goes on to `server`, out of TLS.
    ///
    /// # Errors
    /// The certificate cannot be used, or the system refuses.
    pub fn start(
        issued: &stack::secure::Issued,
        greeting: Greeting,
        server: SocketAddr,
    ) -> anyhow::Result<Self> {
        let tasks = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let acceptor = acceptor(issued)?;
        let listener = tasks.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A connection that fails is its client's to tell.
                tokio::spawn(serve(stream, acceptor.clone(), greeting, server));
            }
        });
        Ok(Self { address, tasks: Some(tasks) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        if let Some(tasks) = self.tasks.take() {
            tasks.shutdown_background();
        }
    }
}

fn acceptor(issued: &stack::secure::Issued) -> anyhow::Result<TlsAcceptor> {
    let certificate =
        CertificateDer::from_pem_slice(&issued.pem()?).context("could not read a certificate")?;
    let key = PrivateKeyDer::from_pem_slice(&issued.key_pem()?).context("could not read a key")?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(
    mut stream: TcpStream,
    acceptor: TlsAcceptor,
    greeting: Greeting,
    server: SocketAddr,
) -> std::io::Result<()> {
    if greeting == Greeting::Postgres {
        stream.read_exact(&mut [0; SSL_REQUEST_BYTES]).await?;
        stream.write_all(b"S").await?;
    }
    let mut client = acceptor.accept(stream).await?;
    let mut server = TcpStream::connect(server).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
