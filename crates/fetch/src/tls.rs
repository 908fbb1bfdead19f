//! TLS by rustls with ring: the platform's certificate store, plus roots that the shell adds.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The TLS settings of a fetcher. The platform's roots are read from disk at the first https
/// request only, which takes tens of milliseconds, and not at all for a plain http one.
#[derive(Debug)]
pub(crate) struct Tls {
    extra_roots: Vec<CertificateDer<'static>>,
    plain: ClientConfig,
    trusting: OnceCell<ClientConfig>,
}

impl Tls {
    /// Fails when one of `extra_roots_der` is no X.509 certificate.
    pub(crate) fn new(extra_roots_der: &[Vec<u8>]) -> Result<Self, BoxError> {
        let extra_roots: Vec<_> = extra_roots_der
            .iter()
            .cloned()
            .map(CertificateDer::from)
            .collect();
        let mut checked = RootCertStore::empty();
        for root in &extra_roots {
            checked.add(root.clone())?;
        }
        let plain = builder()?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        Ok(Self {
            extra_roots,
            plain,
            trusting: OnceCell::new(),
        })
    }

    /// Settings that trust nobody, for http.
    pub(crate) fn plain(&self) -> ClientConfig {
        self.plain.clone()
    }

    /// Settings that trust the platform's and the extra roots. Fails where the platform has none.
    pub(crate) async fn trusting(&self) -> Result<ClientConfig, BoxError> {
        let load = async || {
            let roots = self.extra_roots.clone();
            tokio::task::spawn_blocking(move || trusting(roots)).await?
        };
        Ok(self.trusting.get_or_try_init(load).await?.clone())
    }
}

fn trusting(extra_roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig, BoxError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra_roots, provider)?;
    Ok(builder()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// What is wrong with a server's certificate, as the end of a sentence that names the page; else what the library says.
pub(crate) fn words(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    use rustls::{CertificateError as Certificate, Error};
    let words = match error.downcast_ref::<Error>() {
        Some(Error::InvalidCertificate(Certificate::UnknownIssuer)) => {
            "its certificate is not trusted, since this computer does not know the authority that issued it"
        }
        Some(Error::InvalidCertificate(
            Certificate::Expired | Certificate::ExpiredContext { .. },
        )) => "its certificate has expired",
        Some(Error::InvalidCertificate(
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. },
        )) => "its certificate is not valid yet, or this computer's clock is wrong",
        Some(Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        )) => "its certificate was issued for another name",
        Some(Error::InvalidCertificate(other))
            if format!("{other:?}").contains("CaUsedAsEndEntity") =>
        {
            "its certificate is that of an authority itself, which no server may show"
        }
        Some(Error::InvalidMessage(_)) => "what answers there does not speak TLS",
        Some(Error::General(what)) if what.starts_with("No CA certificates") => {
            "this computer has no list of trusted authorities (ca-certificates) to check its certificate by"
        }
        _ => return error.to_string(),
    };
    words.to_owned()
}

/// The provider is named here, not installed for the whole process, which belongs to the shell.
fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
}
