//! From bytes to documents: charset, format, the two text layers, and the postings inside.
//!
//! [`open`] decides what the bytes are and makes one [`Document`] for a page or a text, and one for
//! each job of a board. A document's `source` layer is the decoded page, or the job's own JSON
//! object as it stands in the file; its `visible` layer is what a reader sees. Both are what
//! evidence points into, so they are stored as they are.

use crate::{
    ats, decode, html, json, keys,
    not_readable::NotReadable,
    patterns::{self, Context, Found},
    structured::{At, Out, evidence, head, job_posting, json_ld},
    text::cut,
};
use decode::warning;
use ghostlight_model::{
    CaptureId, Confidence, FieldKey, FieldValue, Issue, Layer, Micros, Observation, Severity,
    Source, keys::PostingKey, observation::Method,
};
use std::{collections::HashMap, sync::Arc};

/// Bytes of a page's or text's source kept; the rest is left out with an issue. Sixteen times the
/// largest real page seen, and small enough to store for each capture.
pub const SOURCE_BYTES_MAX: usize = 16 << 20;

/// Bytes of visible text from which the language is told.
const LANGUAGE_BYTES: usize = 4096;

/// Bytes as they arrived, with what is known about them.
#[derive(Debug, Clone, Copy)]
pub struct RawInput<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// A file's name, where there is one.
    pub name: Option<&'a str>,
    /// The final URL of a fetched page.
    pub url: Option<&'a str>,
    /// The `Content-Type` header, with parameters.
    pub content_type: Option<&'a str>,
}

/// What kind of input a document was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An HTML page.
    Html,
    /// Plain text.
    Text,
    /// An applicant tracking system's JSON.
    AtsJson,
}

/// One posting's text, and where it came from.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it was made from.
    pub format: Format,
    /// Which posting of the input, from 0.
    pub index: u32,
    /// What a reader sees: the `visible` layer.
    pub visible: String,
    /// The source as UTF-8: the `source` layer.
    pub source: String,
    /// ISO 639-1, where known.
    pub language: Option<String>,
    /// The posting's own address, where known (see [`crate::document`] and DESIGN "Posting id").
    pub url: Option<String>,
    /// What the posting can be recognised by.
    pub keys: Vec<PostingKey>,
    /// What was damaged and read nevertheless.
    pub issues: Vec<Issue>,
    pub(crate) parts: Parts,
}

/// What `open` read besides the layers, kept so that `extract` need not read it again.
#[derive(Debug, Clone)]
pub(crate) enum Parts {
    Html(Arc<PageParts>),
    /// The vendor, and where in the visible text the posting's own words begin: what stands before
    /// is composed from the fields.
    Ats(ats::Vendor, usize),
    Text,
}

/// A page and the JSON-LD in it.
#[derive(Debug)]
pub(crate) struct PageParts {
    pub page: html::Page,
    pub scripts: Vec<json::Parsed>,
}

/// Makes the documents of an input: one for a page or a text, one for each job of a board.
///
/// # Errors
/// [`NotReadable`] where there is nothing to make a document of; damage that leaves something to
/// read becomes an issue of the document.
pub fn open(input: &RawInput<'_>) -> Result<Vec<Document>, NotReadable> {
    let decode::Decoded { text, issues } = decode::decode(input.bytes, input.content_type)?;
    if text
        .trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0')
        .is_empty()
    {
        return Err(NotReadable::Empty);
    }
    if looks_like_json(&text)
        && let Some(documents) = board(&text, is_said_to_be_json(input), &issues)?
    {
        return Ok(documents);
    }
    let (text, issues) = capped(text, issues);
    let document = if looks_like_html(&text, input) {
        page(text, input.url, issues)
    } else {
        plain(text, input.url, issues)
    };
    // A page that only scripts fill is not empty: `judge` says what to do with it.
    let has_scripts = document.format == Format::Html && document.source.contains("<script");
    if document.visible.is_empty()
        && !has_scripts
        && !document.has_posting()
        && document.title().is_none()
    {
        return Err(NotReadable::Empty);
    }
    Ok(vec![document])
}

impl Document {
    /// Hands every observation from structured data to `sink`, the moment it is known.
    pub fn extract(&self, capture: CaptureId, ts: Micros, sink: &mut dyn FnMut(Observation)) {
        match &self.parts {
            Parts::Text => {}
            Parts::Ats(vendor, _) => extract_job(*vendor, &self.source, capture, ts, sink),
            Parts::Html(parts) => self.extract_page(parts, capture, ts, sink),
        }
    }

    /// Hands every observation from patterns to `sink`; `known` is what `extract` saw.
    ///
    /// Patterns run for fields that are known already, too: fusion keeps the losers and shows a
    /// conflict where page data and text disagree.
    pub fn detect(
        &self,
        capture: CaptureId,
        ts: Micros,
        known: &[Observation],
        sink: &mut dyn FnMut(Observation),
    ) {
        let title = known
            .iter()
            .filter(|o| o.field == FieldKey::Title)
            .max_by_key(|o| o.confidence);
        let title = match title.map(|o| &o.value) {
            Some(FieldValue::Text(title)) => Some(title.as_str()),
            _ => self.title(),
        };
        let context = Context {
            language: self.language.as_deref(),
            url: self.url.as_deref(),
            title,
            layout: self.layout(),
        };
        patterns::find_all(&self.visible, context, &mut |mut found: Found| {
            if self.rereads(&found, known) {
                return;
            }
            found.confidence = contested(&self.visible, &found, known);
            let evidence = evidence(&self.visible, Layer::Visible, found.start..found.end, None);
            sink(Observation {
                field: found.field,
                value: found.value,
                confidence: found.confidence,
                source: Source::Parsing,
                method: Method::Pattern,
                evidence,
                capture,
                ts,
            });
        });
    }

    /// Whether a value was read from words that we composed of the same field's own value.
    fn rereads(&self, found: &Found, known: &[Observation]) -> bool {
        let Parts::Ats(_, own_words) = self.parts else {
            return false;
        };
        found.start < own_words
            && found.field != FieldKey::Seniority
            && known.iter().any(|o| o.field == found.field)
    }

    /// What a page's layout says about the visible text.
    fn layout(&self) -> Option<patterns::Layout<'_>> {
        let Parts::Html(parts) = &self.parts else {
            return None;
        };
        let page = &parts.page;
        Some(patterns::Layout {
            headings: &page.headings,
            subheadings: &page.subheadings,
            frames: &page.frames,
            label_ends: &page.label_ends,
            page_title: page.title.as_ref().map(|t| t.text.as_str()),
            preview_title: page.meta("og:title").map(|t| t.text.as_str()),
        })
    }

    /// The page's own title, where it has one.
    pub fn title(&self) -> Option<&str> {
        match &self.parts {
            Parts::Html(parts) => parts.page.title.as_ref().map(|t| t.text.as_str()),
            _ => None,
        }
        .filter(|title| !title.is_empty())
    }

    /// Whether structured data says that this is a job posting.
    pub fn has_posting(&self) -> bool {
        match &self.parts {
            Parts::Html(parts) => !postings(parts).is_empty(),
            Parts::Ats(..) => true,
            Parts::Text => false,
        }
    }

    fn extract_page(
        &self,
        parts: &PageParts,
        capture: CaptureId,
        ts: Micros,
        sink: &mut dyn FnMut(Observation),
    ) {
        let base = self.url.as_deref();
        let layer = &self.source;
        let all = postings(parts);
        let documents: Vec<&json::Node> = parts.scripts.iter().flat_map(|p| &p.documents).collect();
        for method in [Method::JsonLd, Method::Microdata, Method::Rdfa] {
            let of_method: Vec<&Posting<'_>> = all.iter().filter(|p| p.method == method).collect();
            let Some(chosen) = choose(&of_method, &parts.page, base) else {
                continue;
            };
            let penalty = if chosen.repaired { 8 } else { 0 };
            let penalty = if method == Method::JsonLd {
                penalty
            } else {
                penalty + 15
            };
            let mut out = Out {
                layer,
                capture,
                ts,
                method,
                penalty,
                sink: &mut *sink,
            };
            job_posting::emit(&chosen.at, &documents, base, &mut out);
        }
        let mut out = Out {
            layer,
            capture,
            ts,
            method: Method::OpenGraph,
            penalty: 0,
            sink,
        };
        head::emit(&parts.page, base, &mut out);
    }
}

/// The confidence of a value found in a text beside what structured data says. A place in running
/// text is a district or another office where the text names the known town, too, and does not
/// contest it; one in a heading line or behind a label does.
fn contested(visible: &str, found: &Found, known: &[Observation]) -> Confidence {
    /// Below the level at which an answer contests another (`fuse::CONFLICT_FLOOR`).
    const NO_CONTEST: u16 = 750;
    /// The least of places in a heading line or behind a label.
    const STATED: u16 = 960;
    let FieldValue::Places(places) = &found.value else {
        return found.confidence;
    };
    if found.confidence.thousandths() >= STATED {
        return found.confidence;
    }
    let others = known
        .iter()
        .filter(|o| o.field == FieldKey::Location)
        .filter_map(|o| match &o.value {
            FieldValue::Places(known) => Some(known),
            _ => None,
        });
    let named = |city: &String| visible.to_lowercase().contains(&city.to_lowercase());
    let beside = others.flatten().any(|k| {
        let other_country = places
            .iter()
            .any(|p| matches!((&p.country, &k.country), (Some(a), Some(b)) if a != b));
        k.city.as_ref().is_some_and(named) || (k.city.is_some() && !other_country)
    });
    if beside {
        Confidence::new(found.confidence.thousandths().min(NO_CONTEST))
    } else {
        found.confidence
    }
}

/// A job posting in a page's data.
struct Posting<'a> {
    at: At<'a>,
    method: Method,
    repaired: bool,
}

fn postings(parts: &PageParts) -> Vec<Posting<'_>> {
    let mut found = Vec::new();
    for script in &parts.scripts {
        let repaired = !script.repairs.is_empty();
        for at in script.documents.iter().flat_map(json_ld::job_postings) {
            found.push(Posting {
                at,
                method: Method::JsonLd,
                repaired,
            });
        }
    }
    for (markup, item) in &parts.page.items {
        let method = match markup {
            html::Markup::Microdata => Method::Microdata,
            html::Markup::Rdfa => Method::Rdfa,
        };
        found.extend(json_ld::job_items(item).into_iter().map(|at| Posting {
            at,
            method,
            repaired: false,
        }));
    }
    found
}

/// Of several postings the one the page is about: by its address, by its title, else the first.
fn choose<'a, 'b>(
    postings: &[&'b Posting<'a>],
    page: &html::Page,
    base: Option<&str>,
) -> Option<&'b Posting<'a>> {
    let same_address = |p: &&&Posting<'_>| {
        let own = base.and_then(keys::canonical);
        own.is_some()
            && job_posting::url_of(&p.at, base)
                .as_deref()
                .and_then(keys::canonical)
                == own
    };
    let same_title = |p: &&&Posting<'_>| {
        job_posting::title_of(&p.at).is_some_and(|title| head::names(page, &title))
    };
    let by_address = postings.iter().find(same_address);
    by_address
        .or_else(|| postings.iter().find(same_title))
        .or(postings.first())
        .copied()
}

fn page(source: String, url: Option<&str>, mut issues: Vec<Issue>) -> Document {
    let page = html::read(&source);
    if page.visible_cut {
        issues.push(warning(
            "text_truncated",
            format!(
                "only the first {} bytes of the page's text were read",
                html::VISIBLE_BYTES_MAX
            ),
            Some("save the posting's own page instead of a list"),
        ));
    }
    let scripts = json_ld::of_page(&source, &page);
    let keys = keys::of_page(&page, url);
    let language = language(&page.visible, page.lang.as_deref());
    let address = keys::address_of(&page, url);
    let visible = page.visible.clone();
    let parts = PageParts { page, scripts };
    issues.extend(issues_of_data(&parts, address.as_deref()));
    Document {
        format: Format::Html,
        index: 0,
        visible,
        source,
        language,
        url: address,
        keys,
        issues,
        parts: Parts::Html(Arc::new(parts)),
    }
}

fn issues_of_data(parts: &PageParts, base: Option<&str>) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut repairs: Vec<&str> = parts
        .scripts
        .iter()
        .flat_map(|s| &s.repairs)
        .copied()
        .collect();
    repairs.dedup();
    if !repairs.is_empty() {
        issues.push(Issue::new(
            "json_ld_repaired",
            Severity::Info,
            format!(
                "the page's JSON-LD is damaged and was read nevertheless: {}",
                repairs.join(", ")
            ),
            None,
        ));
    }
    if parts.scripts.iter().any(|s| s.too_deep || s.too_many) {
        issues.push(warning(
            "json_ld_truncated",
            format!("the page's JSON-LD is nested deeper than {} or has too many values; the rest was not read", json::DEPTH_MAX),
            None,
        ));
    }
    let all = postings(parts);
    let mut titles: Vec<String> = all
        .iter()
        .filter_map(|p| job_posting::title_of(&p.at))
        .collect();
    titles.sort();
    titles.dedup();
    let refs: Vec<&Posting<'_>> = all.iter().collect();
    if titles.len() > 1
        && let Some(title) =
            choose(&refs, &parts.page, base).and_then(|p| job_posting::title_of(&p.at))
    {
        issues.push(warning(
            "several_postings",
            format!(
                "the page describes {} different postings; \u{201c}{}\u{201d} was taken",
                titles.len(),
                cut(&title, 100)
            ),
            Some("open the posting's own page to analyse another one"),
        ));
    }
    issues
}

fn plain(source: String, url: Option<&str>, mut issues: Vec<Issue>) -> Document {
    let unified = source.replace("\r\n", "\n").replace(['\r', '\0'], "\n");
    let visible = cut(&unified, html::VISIBLE_BYTES_MAX).to_owned();
    if visible.len() < unified.len() {
        issues.push(warning(
            "text_truncated",
            format!(
                "only the first {} bytes of the text were read",
                html::VISIBLE_BYTES_MAX
            ),
            Some("split the text into one file for each posting"),
        ));
    }
    let address = url.and_then(|u| keys::absolute(u, None));
    let mut keys_found: Vec<PostingKey> = address
        .as_deref()
        .and_then(keys::ats_id)
        .map(|id| id.key())
        .into_iter()
        .collect();
    keys_found.extend(
        address
            .as_deref()
            .and_then(keys::canonical)
            .map(PostingKey::Url),
    );
    keys_found.push(keys::of_text(&visible));
    Document {
        format: Format::Text,
        index: 0,
        language: language(&visible, None),
        visible,
        source,
        url: address,
        keys: keys_found,
        issues,
        parts: Parts::Text,
    }
}

/// The jobs in JSON text; `None` if it is better read as plain text.
fn board(
    text: &str,
    said_to_be_json: bool,
    issues: &[Issue],
) -> Result<Option<Vec<Document>>, NotReadable> {
    let parsed = json::parse(text, 0..text.len());
    let jobs: Vec<(ats::Vendor, At<'_>)> = parsed.documents.iter().flat_map(ats::jobs).collect();
    if jobs.is_empty() {
        let is_clean = parsed.repairs.is_empty() && parsed.documents.len() == 1;
        return match unknown(&parsed) {
            Some(reason) if said_to_be_json || is_clean || parsed.too_deep => {
                Err(NotReadable::UnknownJson { reason })
            }
            _ => Ok(None),
        };
    }
    let damaged = (!parsed.repairs.is_empty()).then(|| {
        Issue::new(
            "json_repaired",
            Severity::Info,
            format!(
                "the JSON is damaged and was read nevertheless: {}",
                parsed.repairs.join(", ")
            ),
            None,
        )
    });
    let cut_off = (jobs.len() >= ats::JOBS_MAX || parsed.too_many || parsed.too_deep).then(|| {
        warning(
            "json_truncated",
            format!("only the first {} jobs of the file were read", jobs.len()),
            Some("split the file"),
        )
    });
    let common: Vec<Issue> = issues
        .iter()
        .cloned()
        .chain(damaged)
        .chain(cut_off)
        .collect();
    let documents = jobs
        .iter()
        .enumerate()
        .map(|(index, (vendor, job))| job_document(index, *vendor, job, text, &common));
    let mut documents: Vec<Document> = documents.collect();
    drop_shared_addresses(&mut documents);
    Ok(Some(documents))
}

/// An address that several jobs of one board give (the board's own page) identifies none of them.
fn drop_shared_addresses(documents: &mut [Document]) {
    let mut uses: HashMap<PostingKey, u32> = HashMap::new();
    for key in documents.iter().flat_map(|document| &document.keys) {
        *uses.entry(key.clone()).or_default() += 1;
    }
    for document in documents {
        let shared = |key: &PostingKey| uses.get(key).is_some_and(|n| *n > 1);
        document
            .keys
            .retain(|key| !matches!(key, PostingKey::Url(_)) || !shared(key));
    }
}

fn job_document(
    index: usize,
    vendor: ats::Vendor,
    job: &At<'_>,
    text: &str,
    issues: &[Issue],
) -> Document {
    let source = text.get(job.node.span.clone()).unwrap_or("").to_owned();
    let mut observations = Vec::new();
    extract_job(vendor, &source, CaptureId::of(&[]), Micros(0), &mut |o| {
        observations.push(o)
    });
    let (visible, own_words) = ats::readable(&observations);
    let visible = cut(&visible, html::VISIBLE_BYTES_MAX).to_owned();
    let url = ats::address(vendor, job);
    let id = ats::id(vendor, job).map(|id| id.key());
    let canonical = url
        .as_deref()
        .and_then(keys::canonical)
        .map(PostingKey::Url);
    Document {
        format: Format::AtsJson,
        index: u32::try_from(index).unwrap_or(u32::MAX),
        language: language(
            &visible,
            job.get("language").and_then(|l| l.text()).as_deref(),
        ),
        keys: id
            .into_iter()
            .chain(canonical)
            .chain([keys::of_text(&visible)])
            .collect(),
        visible,
        source,
        url,
        issues: issues
            .iter()
            .cloned()
            .chain(ats::issues(vendor, job))
            .collect(),
        parts: Parts::Ats(vendor, own_words),
    }
}

fn extract_job(
    vendor: ats::Vendor,
    source: &str,
    capture: CaptureId,
    ts: Micros,
    sink: &mut dyn FnMut(Observation),
) {
    let parsed = json::parse(source, 0..source.len());
    let Some(node) = parsed.documents.first() else {
        return;
    };
    let method = if vendor == ats::Vendor::SchemaOrg {
        Method::JsonLd
    } else {
        Method::AtsApi
    };
    let penalty = if parsed.repairs.is_empty() { 0 } else { 10 };
    ats::emit(
        vendor,
        &At::root(node),
        &mut Out {
            layer: source,
            capture,
            ts,
            method,
            penalty,
            sink,
        },
    );
}

/// Why JSON holds no job that we know; `None` if it is hardly JSON.
fn unknown(parsed: &json::Parsed) -> Option<String> {
    const EXPECTED: &str =
        "expected the answer of a job board (Greenhouse, Lever, Ashby) or a schema.org JobPosting";
    if parsed.too_deep {
        return Some(format!(
            "the JSON is nested deeper than {} levels; {EXPECTED}",
            json::DEPTH_MAX
        ));
    }
    let first = parsed.documents.first()?;
    let is_empty_board = first.members().iter().any(|(key, node)| {
        matches!(
            key.as_str(),
            "jobs" | "postings" | "results" | "data" | "positions"
        ) && matches!(&node.value, json::Value::Array(a) if a.is_empty())
    });
    if is_empty_board {
        return Some("the job board lists no jobs".to_owned());
    }
    let names = |node: &json::Node| {
        let names: Vec<&str> = node
            .members()
            .iter()
            .take(6)
            .map(|(k, _)| cut(k, 40))
            .collect();
        if names.is_empty() {
            "no members".to_owned()
        } else {
            format!("the members {}", names.join(", "))
        }
    };
    let seen = match &first.value {
        json::Value::Object(_) => format!("an object with {}", names(first)),
        json::Value::Array(elements) if elements.is_empty() => "an empty list".to_owned(),
        json::Value::Array(elements) => format!(
            "a list of {} whose first has {}",
            elements.len(),
            names(&elements[0])
        ),
        _ => return None,
    };
    Some(format!("the JSON is {seen}; {EXPECTED}"))
}

fn capped(mut text: String, mut issues: Vec<Issue>) -> (String, Vec<Issue>) {
    if text.len() > SOURCE_BYTES_MAX {
        issues.push(warning(
            "source_truncated",
            format!(
                "only the first {SOURCE_BYTES_MAX} of {} bytes were read",
                text.len()
            ),
            Some("save the posting's own page instead of a list"),
        ));
        let end = cut(&text, SOURCE_BYTES_MAX).len();
        text.truncate(end);
    }
    (text, issues)
}

fn looks_like_json(text: &str) -> bool {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    match start.as_bytes() {
        [b'{', rest @ ..] => rest
            .trim_ascii_start()
            .first()
            .is_some_and(|b| matches!(b, b'"' | b'}' | b'\'' | b'/')),
        [b'[', rest @ ..] => rest
            .trim_ascii_start()
            .first()
            .is_some_and(|b| matches!(b, b'{' | b'[' | b']' | b'"' | b'0'..=b'9')),
        _ => false,
    }
}

fn is_said_to_be_json(input: &RawInput<'_>) -> bool {
    let named = input
        .name
        .is_some_and(|n| n.to_ascii_lowercase().ends_with(".json"));
    named
        || input
            .content_type
            .is_some_and(|t| t.to_ascii_lowercase().contains("json"))
}

fn looks_like_html(text: &str, input: &RawInput<'_>) -> bool {
    let head = cut(
        text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']),
        8192,
    )
    .to_ascii_lowercase();
    let marked = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<meta ",
        "<script",
    ]
    .iter()
    .any(|m| head.contains(m));
    let name = input.name.map(str::to_ascii_lowercase).unwrap_or_default();
    let kind = input
        .content_type
        .map(str::to_ascii_lowercase)
        .unwrap_or_default();
    let said = kind.contains("html")
        || [".html", ".htm", ".xhtml"]
            .iter()
            .any(|e| name.ends_with(e));
    let starts = head.starts_with('<') && head.contains("</");
    marked || said || starts || head.matches("</").count() >= 3
}

/// ISO 639-1 by the words, where there are enough; else what the page declares.
fn language(visible: &str, declared: Option<&str>) -> Option<String> {
    let told = whatlang::detect(cut(visible, LANGUAGE_BYTES));
    let by_words = told.as_ref().and_then(|info| iso_639_1(info.lang()));
    let sure = told
        .as_ref()
        .is_some_and(|info| info.is_reliable() && visible.len() >= 200);
    let declared = declared.and_then(|d| {
        let primary = d.trim().split(['-', '_']).next()?.to_ascii_lowercase();
        (primary.len() == 2 && primary.bytes().all(|b| b.is_ascii_lowercase())).then_some(primary)
    });
    if sure {
        by_words.map(str::to_owned).or(declared)
    } else {
        declared.or(by_words.map(str::to_owned))
    }
}

fn iso_639_1(lang: whatlang::Lang) -> Option<&'static str> {
    use whatlang::Lang;
    Some(match lang {
        Lang::Eng => "en",
        Lang::Fra => "fr",
        Lang::Deu => "de",
        Lang::Spa => "es",
        Lang::Ita => "it",
        Lang::Por => "pt",
        Lang::Nld => "nl",
        Lang::Swe => "sv",
        Lang::Dan => "da",
        Lang::Nob => "no",
        Lang::Fin => "fi",
        Lang::Pol => "pl",
        Lang::Ces => "cs",
        Lang::Slk => "sk",
        Lang::Hun => "hu",
        Lang::Ron => "ro",
        Lang::Bul => "bg",
        Lang::Hrv => "hr",
        Lang::Slv => "sl",
        Lang::Ell => "el",
        Lang::Tur => "tr",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Heb => "he",
        Lang::Ara => "ar",
        Lang::Hin => "hi",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Cmn => "zh",
        Lang::Vie => "vi",
        Lang::Tha => "th",
        Lang::Ind => "id",
        Lang::Cat => "ca",
        _ => return None,
    })
}
