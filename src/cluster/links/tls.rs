//! Mutual TLS between nodes: a private authority, and a certificate for each node out of it.
//!
//! A certificate is for the name [`NODE`], not for an address: what it proves is that its holder is a node of this cluster.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor, TlsConnector, client,
    rustls::{
        self, ClientConfig, RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
        server::WebPkiClientVerifier,
    },
    server,
};

/// The name that every node's certificate is for.
pub const NODE: &str = "orp-node";

/// What this node connects and accepts with.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file does not read.
    #[error("{}: {cause}; `orp admin certs` makes certificates for development", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: rustls::pki_types::pem::Error,
    },
    /// What the files hold does not fit together.
    #[error("the certificates do not fit together: {0}")]
    Config(#[from] rustls::Error),
    /// The authority's certificate cannot verify anything.
    #[error("the authority's certificate: {0}")]
    Authority(#[from] rustls::server::VerifierBuilderError),
}

impl Tls {
    /// Reads PEM files: the authority, this node's certificate, and its key.
    ///
    /// # Errors
    /// Names the file that does not read, or what does not fit.
    pub fn read(authority: &Path, certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for root in certificates(authority)? {
            roots.add(root)?;
        }
        let roots = Arc::new(roots);
        let chain = certificates(certificate)?;
        let private = || {
            PrivateKeyDer::from_pem_file(key).map_err(|cause| TlsError::File {
                path: key.into(),
                cause,
            })
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
                .build()?;
        let accept = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain.clone(), private()?)?;
        let connect = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, private()?)?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(accept)),
            connector: TlsConnector::from(Arc::new(connect)),
        })
    }

    /// As a node, over this socket.
    ///
    /// # Errors
    /// When either side does not trust the other.
    pub async fn connect(
        &self,
        socket: TcpStream,
    ) -> std::io::Result<client::TlsStream<TcpStream>> {
        let name = ServerName::try_from(NODE).expect("the constant is a name");
        self.connector.connect(name, socket).await
    }

    pub(super) async fn accept(
        &self,
        socket: TcpStream,
    ) -> std::io::Result<server::TlsStream<TcpStream>> {
        self.acceptor.accept(socket).await
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |cause| TlsError::File {
        path: path.into(),
        cause,
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(failed)?
        .collect();
    let found = found.map_err(failed)?;
    if found.is_empty() {
        return Err(failed(rustls::pki_types::pem::Error::NoItemsFound));
    }
    Ok(found)
}
