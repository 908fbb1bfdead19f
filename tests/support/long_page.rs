//! A posting whose page is as long as the window shows of a text: two megabytes.

/// What stands at the very end of the page's source, as its title.
pub const TITLE: &str = "Keeper of the Farthest Lamp";
/// What stands near the beginning of the visible text, and nowhere else: how remote the work is.
pub const REMOTE: &str = "hybrid position";

/// Bytes of the page: what the window shows of a layer is a little more, so that its end is in it.
const PAGE_BYTES: usize = 2_000_000;

/// An HTML page whose structured data stands behind two megabytes of text.
pub fn long_page() -> String {
    let head = "<!doctype html><html lang=\"en\"><head><title>Lamps</title></head><body><h1>A job among lamps</h1>\
        <p>This is a hybrid position. Responsibilities: trim the wicks. Requirements: a steady hand. Apply by email.</p>\n";
    let data = format!(
        r#"<script type="application/ld+json">{{"@context":"https://schema.org","@type":"JobPosting","title":"{TITLE}",
        "description":"Somebody has to keep it.","datePosted":"2026-01-05",
        "hiringOrganization":{{"@type":"Organization","name":"Quillmarsh Instruments"}}}}</script></body></html>"#
    );
    let mut page = String::with_capacity(PAGE_BYTES + 200);
    page.push_str(head);
    let mut n = 0;
    while page.len() + data.len() < PAGE_BYTES {
        n += 1;
        page.push_str(&format!(
            "<p>Lamp {n} stands at the harbour, größer than the one before it, and is lit at dusk by whoever has the \
             watch; its glass is wiped in the morning.</p>\n"
        ));
    }
    page + &data
}
