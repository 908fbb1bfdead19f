//! The sample postings that come with the application. Their employers are invented.

use crate::Input;

macro_rules! samples {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../../../samples/", $name)).as_slice())),*]
    };
}

/// The samples, as inputs.
pub(crate) fn inputs() -> Vec<Input> {
    samples![
        "data-engineer-lyon.html",
        "compliance-analyst-rotterdam.html",
        "warehouse-lead-leeds.html",
        "senior-nurse-exeter.html",
        "frontend-developer-berlin.html",
        "sales-associate-denver.html",
        "machine-operator-gdansk.json",
        "support-engineer-remote.txt",
    ]
    .into_iter()
    .map(|(name, bytes)| Input::Text {
        name: name.to_owned(),
        bytes: bytes.to_vec(),
    })
    .collect()
}
