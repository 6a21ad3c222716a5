//! TLS to Cassandra: rustls on ring, the authorities of one file and nobody else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::options::TlsFiles;
use crate::store::Cause;

/// Why TLS cannot be set up. The key itself is never in a text.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file does not read.
    #[error("cannot read {what} in {}: {cause}", path.display())]
    File {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        cause: Cause,
    },
    /// The files read and do not fit.
    #[error("{}: {cause}", path.display())]
    Unfit {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: rustls::Error,
    },
}

pub(super) fn config(files: &TlsFiles) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("certificates", &files.ca)? {
        let unfit = |cause| TlsError::Unfit {
            path: files.ca.clone(),
            cause,
        };
        roots.add(certificate).map_err(unfit)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the cipher suites of both versions")
        .with_root_certificates(roots);
    let config = match &files.client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates("a certificate", certificate)?;
            let private = PrivateKeyDer::from_pem_file(key).map_err(|cause| TlsError::File {
                what: "a private key",
                path: key.clone(),
                cause: cause.into(),
            })?;
            builder
                .with_client_auth_cert(chain, private)
                .map_err(|cause| TlsError::Unfit {
                    path: certificate.clone(),
                    cause,
                })?
        }
    };
    Ok(Arc::new(config))
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |cause: Cause| TlsError::File {
        what,
        path: path.to_owned(),
        cause,
    };
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|cause| failed(cause.into()))?;
    if found.is_empty() {
        return Err(failed("there is none".into()));
    }
    Ok(found)
}
