//! HTTP out: job pages, the public APIs of applicant tracking systems, the model's endpoint
//! (SPEC A1, A2, L6).
//!
//! Pages go through [`Fetcher::get`], questions to a model through [`Fetcher::ask`], so limits and
//! address rules stand in one place. A URL flows like this: [`classify`] refuses what is no web
//! address; each hop's host is looked up once, every address is checked ([`AddressClass`]), and
//! the connection goes to the checked addresses only; redirects are followed by hand under the
//! same rules; the body is read up to a cap. What comes back is a [`Fetched`] or a
//! [`FetchError`], which knows a stable code, whether a retry can help, and what to do next.
//!
//! Nothing here reads the environment, but for one thing outside our hands: on Linux the
//! platform's certificate store is found the way OpenSSL finds it (`SSL_CERT_FILE`,
//! `SSL_CERT_DIR`). Proxy variables are ignored.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod ask;
mod ats;
mod error;
mod fetcher;
mod header;
mod input;
mod network;
mod redirect;
mod tls;

pub use address::{AddressClass, is_intranet_name};
pub use ask::{ASK_TIMEOUT, Ask, AskError, model_url};
pub use ats::ats_api_url;
pub use error::{FetchError, Stage, UrlChain};
pub use fetcher::{Fetched, Fetcher, Limits, PrivateAddresses, Setup};
pub use input::{URL_BYTES_MAX, classify};
pub use network::{Lookup, Network, SystemNetwork};
