//! TLS by rustls with ring and the platform's certificates, read when a secure feed is first opened.

use rustls::ClientConfig;
use std::sync::Arc;
use tokio::sync::OnceCell;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The TLS settings of a client; cloning shares them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tls(Arc<OnceCell<ClientConfig>>);

impl Tls {
    /// Settings that trust the platform's roots, with HTTP/1.1 as a WebSocket needs it.
    pub(crate) async fn trusting(&self) -> Result<ClientConfig, BoxError> {
        let load = async || {
            // Reading the roots takes tens of milliseconds of disk.
            tokio::task::spawn_blocking(trusting).await?
        };
        Ok(self.0.get_or_try_init(load).await?.clone())
    }
}

fn trusting() -> Result<ClientConfig, BoxError> {
    // The provider is named here, not installed for the whole process, which belongs to the shell.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(&provider))?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// Settings that trust nobody, for http.
pub(crate) fn plain() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth())
}
