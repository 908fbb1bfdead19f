//! One pass over a page: its visible text, head, JSON-LD scripts, microdata and RDFa items.
//!
//! `html5gum` cuts the page into tags and text by the WHATWG rules and says where each stands; a
//! stack of open elements (no tree) decides what is visible and which item a property belongs to.
//! Everything is bounded, and time is linear in the page.

use crate::{
    entities::{clean, decode_entities},
    json::{Node, Value},
    text::{TextWriter, cut},
};
use html5gum::{
    Span, Tokenizer,
    emitters::callback::{CallbackEmitter, CallbackEvent},
};
use std::{borrow::Cow, convert::Infallible, ops::Range};

/// Bytes of visible text kept of a page; the rest is left out with an issue. The longest real
/// posting seen has 60 kB.
pub const VISIBLE_BYTES_MAX: usize = 4 << 20;

/// Open elements tracked. Real pages stay below 60; deeper ones are read as if closed.
const OPEN_MAX: usize = 256;

/// JSON-LD scripts, meta elements and items read of a page; more are ignored.
const PARTS_MAX: usize = 512;

/// Different properties of one item; more are ignored.
const PROPERTIES_MAX: usize = 128;

/// Property values open at the same time (an element's text may belong to several properties).
const CAPTURES_MAX: usize = 8;

/// Items open at the same time; a posting's pay is four deep.
const ITEMS_OPEN_MAX: usize = 32;

/// Bytes of one property's text.
const PROPERTY_BYTES_MAX: usize = 256 << 10;

/// Headings and ends of label elements kept of a page; more are ignored.
const MARKS_MAX: usize = 4096;

/// Bytes of the text of an element that may be a label ("Employer").
const LABEL_BYTES_MAX: usize = 48;

/// A main area shorter than this does not make the rest of the page boilerplate.
const MAIN_BYTES_MIN: usize = 200;

/// A text and where its source stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sourced {
    pub text: String,
    pub span: Range<usize>,
}

/// Which markup an item was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup {
    Microdata,
    Rdfa,
}

/// What one pass over a page finds.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub visible: String,
    /// Whether the visible text was cut at [`VISIBLE_BYTES_MAX`].
    pub visible_cut: bool,
    pub lang: Option<String>,
    pub title: Option<Sourced>,
    /// `<meta>` by lower-case name or property.
    pub metas: Vec<(String, Sourced)>,
    pub canonical: Option<Sourced>,
    /// Bodies of `application/ld+json` scripts.
    pub scripts: Vec<Range<usize>>,
    /// Items that stand in no other item, as objects with `@type`.
    pub items: Vec<(Markup, Node)>,
    /// First headings outside of navigation, in the visible text, those of the main area first.
    pub headings: Vec<Range<usize>>,
    /// Second headings alike.
    pub subheadings: Vec<Range<usize>>,
    /// Ranges of the visible text that are navigation or another part of the frame.
    pub frames: Vec<Range<usize>>,
    /// Ends in the visible text of short elements that may be labels, in order.
    pub label_ends: Vec<usize>,
    pub password_fields: usize,
    /// Names of bot checks whose code the page loads.
    pub challenges: Vec<&'static str>,
}

impl Page {
    /// The first `<meta>` with this name.
    pub fn meta(&self, name: &str) -> Option<&Sourced> {
        self.metas
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, content)| content)
    }
}

/// Reads a page.
pub(crate) fn read(source: &str) -> Page {
    let mut scan = Scan::new(source, VISIBLE_BYTES_MAX);
    tokenize(source, &mut scan);
    scan.finish()
}

/// The readable text of a piece of HTML.
pub(crate) fn fragment_to_text(html: &str, bytes_max: usize) -> String {
    let mut scan = Scan::new(html, bytes_max);
    tokenize(html, &mut scan);
    scan.writer.finish()
}

/// Readable text of a description that may be HTML, escaped HTML (once or twice), or plain.
pub(crate) fn readable(text: &str, bytes_max: usize) -> String {
    let mut text = Cow::Borrowed(text);
    for _ in 0..2 {
        if has_tags(&text) || !text.contains("&lt;") {
            break;
        }
        text = Cow::Owned(decode_entities(&text).into_owned());
    }
    if has_tags(&text) {
        return fragment_to_text(&text, bytes_max);
    }
    let mut writer = TextWriter::new(bytes_max);
    writer.preformatted(&decode_entities(&text));
    writer.finish()
}

/// Whether the first 64 KiB of `text` have something like an HTML tag.
pub(crate) fn has_tags(text: &str) -> bool {
    let bytes = cut(text, 64 << 10).as_bytes();
    bytes.iter().enumerate().any(|(i, b)| {
        *b == b'<'
            && bytes
                .get(i + 1)
                .is_some_and(|n| n.is_ascii_alphabetic() || *n == b'/')
            && bytes[i..bytes.len().min(i + 256)].contains(&b'>')
    })
}

fn tokenize(source: &str, scan: &mut Scan<'_>) {
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, span: Span<usize>| {
        scan.event(&event, span.start..span.end);
        None::<Infallible>
    });
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(source, emitter).finish();
}

struct Scan<'a> {
    source: &'a str,
    writer: TextWriter,
    page: Page,
    tag: Tag,
    open: Vec<Element>,
    /// Index in `open` of the element that hides what is inside it.
    hidden_from: Option<usize>,
    preformatted: usize,
    areas: Areas,
    marks: Marks,
    items: Vec<Item>,
    captures: Vec<Capture>,
}

/// Whether a tag opens or closes its element.
#[derive(Clone, Copy, PartialEq)]
enum Edge {
    Start,
    End,
}

/// The start tag being read.
#[derive(Default)]
struct Tag {
    name: String,
    start: usize,
    attributes: Vec<(&'static str, String, Range<usize>)>,
    current: Option<&'static str>,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.sourced(name).map(|(value, _)| value)
    }

    fn sourced(&self, name: &str) -> Option<(&str, Range<usize>)> {
        self.attributes
            .iter()
            .find(|(n, ..)| *n == name)
            .map(|(_, v, span)| (v.as_str(), span.clone()))
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

#[derive(Default)]
struct Element {
    name: String,
    item: bool,
    capture: bool,
    area: Option<Area>,
    area_start: usize,
    /// Whether its class or id calls it navigation or frame.
    is_frame: bool,
}

/// Parts of a page that tell the posting from its frame.
#[derive(Clone, Copy, PartialEq)]
enum Area {
    Main,
    Article,
    Header,
    Frame,
}

#[derive(Default)]
struct Areas {
    main: usize,
    article: usize,
    articles: usize,
    inside_main: usize,
    inside_frame: usize,
    heading_in_header: bool,
    /// Ranges of the text that are frame.
    frame: Vec<Range<usize>>,
}

/// A heading: where it stands, how deep, and in which part of the page.
struct Heading {
    range: Range<usize>,
    is_first: bool,
    in_main: bool,
}

/// What the text's layout says beyond its words; ranges of the text before areas are left out.
#[derive(Default)]
struct Marks {
    headings: Vec<Heading>,
    frames: Vec<Range<usize>>,
    label_ends: Vec<usize>,
}

/// An item being read.
struct Item {
    markup: Markup,
    start: usize,
    names: Vec<String>,
    members: Vec<(String, Node)>,
}

/// A property whose value is the text of its element.
struct Capture {
    markup: Markup,
    names: Vec<String>,
    writer: TextWriter,
    span: Option<Range<usize>>,
}

impl<'a> Scan<'a> {
    fn new(source: &'a str, visible_bytes_max: usize) -> Self {
        Self {
            source,
            writer: TextWriter::new(visible_bytes_max),
            page: Page::default(),
            tag: Tag::default(),
            open: Vec::new(),
            hidden_from: None,
            preformatted: 0,
            areas: Areas::default(),
            marks: Marks::default(),
            items: Vec::new(),
            captures: Vec::new(),
        }
    }

    fn event(&mut self, event: &CallbackEvent<'_>, span: Range<usize>) {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.tag.name.clear();
                self.tag.name.push_str(&String::from_utf8_lossy(name));
                self.tag.attributes.clear();
                self.tag.current = None;
                self.tag.start = span.start;
            }
            CallbackEvent::AttributeName { name } => {
                self.tag.current = attribute_of_interest(name).filter(|n| !self.tag.has(n));
                if let Some(name) = self.tag.current {
                    self.tag
                        .attributes
                        .push((name, String::new(), span.end..span.end));
                }
            }
            CallbackEvent::AttributeValue { value } => {
                if self.tag.current.take().is_some()
                    && let Some(last) = self.tag.attributes.last_mut()
                {
                    last.1 = String::from_utf8_lossy(value).into_owned();
                    last.2 = span;
                }
            }
            CallbackEvent::CloseStartTag { self_closing } => self.start_tag(*self_closing),
            CallbackEvent::EndTag { name } => {
                self.end_tag(&String::from_utf8_lossy(name), span.end)
            }
            CallbackEvent::String { value } => self.text(&String::from_utf8_lossy(value), span),
            _ => {}
        }
    }

    fn start_tag(&mut self, self_closing: bool) {
        let name = std::mem::take(&mut self.tag.name);
        self.close_implied(&name);
        self.layout(&name, Edge::Start);
        self.head_element(&name);
        self.challenge();
        let mut element = Element {
            area_start: self.writer.len(),
            ..Element::default()
        };
        let is_void = is_void(&name)
            || (self_closing
                && self
                    .open
                    .iter()
                    .any(|e| e.name == "svg" || e.name == "math"));
        self.open_item(&name, is_void, &mut element);
        if is_void {
            if element.item {
                self.close_item(self.tag.start);
            }
        } else if self.open.len() < OPEN_MAX
            || (hides(&name, &self.tag) && self.open.len() < 2 * OPEN_MAX)
        {
            if self.hidden_from.is_none() && hides(&name, &self.tag) {
                self.hidden_from = Some(self.open.len());
            }
            element.area = area(&name, self.tag.get("role"));
            element.is_frame = is_frame(&self.tag);
            self.enter_area(&element, &name);
            self.preformatted += usize::from(name == "pre");
            element.name.push_str(&name);
            self.open.push(element);
        } else if element.item {
            self.close_item(self.tag.start);
        } else if element.capture {
            self.captures.pop();
        }
        self.tag.name = name;
    }

    fn end_tag(&mut self, name: &str, end: usize) {
        self.layout(name, Edge::End);
        if let Some(at) = self.open.iter().rposition(|e| e.name == name) {
            while self.open.len() > at {
                self.pop(end);
            }
        }
    }

    /// Elements whose end tag HTML lets authors leave out.
    fn close_implied(&mut self, name: &str) {
        let closes: &[&str] = match name {
            "li" => &["li", "p"],
            "p" | "div" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "section" | "table" => &["p"],
            "dt" | "dd" => &["dt", "dd", "p"],
            "tr" => &["tr", "td", "th", "p"],
            "td" | "th" => &["td", "th", "p"],
            "option" => &["option"],
            "body" => &["head"],
            _ => return,
        };
        while self
            .open
            .last()
            .is_some_and(|e| closes.contains(&e.name.as_str()))
        {
            self.pop(self.tag.start);
        }
    }

    fn pop(&mut self, end: usize) {
        let Some(element) = self.open.pop() else {
            return;
        };
        if self.hidden_from.is_some_and(|from| self.open.len() <= from) {
            self.hidden_from = None;
        }
        self.mark(&element);
        if element.name == "pre" {
            self.preformatted = self.preformatted.saturating_sub(1);
        }
        if element.capture {
            self.close_capture();
        }
        if element.item {
            self.close_item(end);
        }
        self.leave_area(&element);
    }

    /// Remembers headings, labels and frames when their element ends.
    fn mark(&mut self, element: &Element) {
        if self.hidden_from.is_some() {
            return;
        }
        let (start, end) = (element.area_start, self.writer.len());
        let text = self.writer.written().get(start..end).unwrap_or("");
        let inner = text.trim_start_matches(|c: char| c.is_whitespace() || c == '-');
        let start = end - inner.len();
        if inner.is_empty() {
            return;
        }
        let is_frame = |e: &Element| e.is_frame || e.area == Some(Area::Frame);
        match element.name.as_str() {
            "h1" | "h2" => {
                let heading = Heading {
                    range: start..end,
                    is_first: element.name == "h1",
                    in_main: self
                        .open
                        .iter()
                        .any(|e| matches!(e.area, Some(Area::Main | Area::Article))),
                };
                if self.marks.headings.len() < MARKS_MAX && !self.open.iter().any(is_frame) {
                    self.marks.headings.push(heading);
                }
            }
            "dt" | "th" | "b" | "strong" | "label" | "span" | "em" | "h3" | "h4" | "h5" | "h6"
                if inner.len() <= LABEL_BYTES_MAX && self.marks.label_ends.len() < MARKS_MAX =>
            {
                self.marks.label_ends.push(end);
            }
            _ => {}
        }
        let frame = is_frame(element) || element.area == Some(Area::Header);
        // The part that holds the page's first heading is no mere frame, whatever it is called.
        let holds_title = |marks: &Marks| {
            let mut headings = marks.headings.iter();
            headings.any(|h| h.is_first && h.range.start >= start)
        };
        if frame && self.marks.frames.len() < MARKS_MAX && !holds_title(&self.marks) {
            self.marks.frames.retain(|f| f.start < start);
            self.marks.frames.push(start..end);
        }
    }

    fn text(&mut self, text: &str, span: Range<usize>) {
        let parent = self.open.last().map_or("", |e| e.name.as_str());
        match parent {
            "script" => return self.script(span),
            "style" | "template" => return,
            "title" if self.page.title.is_none() && !self.open.iter().any(|e| e.name == "svg") => {
                self.page.title = Some(Sourced {
                    text: clean(text),
                    span: self.trimmed(span),
                });
                return;
            }
            "title" => return,
            _ => {}
        }
        if !text.chars().all(char::is_whitespace) {
            let trimmed = if self.captures.is_empty() {
                span
            } else {
                self.trimmed(span)
            };
            for capture in &mut self.captures {
                let start = capture.span.as_ref().map_or(trimmed.start, |s| s.start);
                capture.span = Some(start..trimmed.end);
            }
        }
        let preformatted = self.preformatted > 0;
        let visible = self.hidden_from.is_none().then_some(&mut self.writer);
        for writer in visible
            .into_iter()
            .chain(self.captures.iter_mut().map(|c| &mut c.writer))
        {
            if preformatted {
                writer.preformatted(text)
            } else {
                writer.text(text)
            }
        }
    }

    fn script(&mut self, span: Range<usize>) {
        let is_json_ld = self.tag.get("type").is_some_and(|t| {
            t.trim_start()
                .get(..19)
                .is_some_and(|t| t.eq_ignore_ascii_case("application/ld+json"))
        });
        if is_json_ld && self.page.scripts.len() < PARTS_MAX {
            self.page.scripts.push(span);
        }
    }

    /// Breaks and gaps that a tag makes in the text around it.
    fn layout(&mut self, name: &str, edge: Edge) {
        let visible = self.hidden_from.is_none().then_some(&mut self.writer);
        for writer in visible
            .into_iter()
            .chain(self.captures.iter_mut().map(|c| &mut c.writer))
        {
            match name {
                "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "dl" | "table"
                | "section" | "article" | "main" | "header" | "footer" | "nav" | "aside"
                | "blockquote" | "form" | "fieldset" | "hr" | "pre" | "figure" | "details" => {
                    writer.line(2)
                }
                "br" | "div" | "tr" | "dt" | "dd" | "address" | "summary" | "figcaption"
                | "caption" | "legend" | "body" | "option" => writer.line(1),
                "li" if edge == Edge::Start => writer.item(),
                "li" => writer.end_item(),
                "td" | "th" => writer.cell(),
                "img" | "input" | "button" | "label" | "select" | "svg" | "iframe" => {
                    writer.space()
                }
                _ => writer.edge(),
            }
        }
    }

    fn head_element(&mut self, name: &str) {
        match name {
            "html" if self.page.lang.is_none() => {
                self.page.lang = self.tag.get("lang").map(str::to_owned)
            }
            "meta" => self.meta(),
            "link" if self.page.canonical.is_none() => {
                let rel = self.tag.get("rel").unwrap_or("");
                if rel
                    .split_ascii_whitespace()
                    .any(|r| r.eq_ignore_ascii_case("canonical"))
                    && let Some((href, span)) =
                        self.tag.sourced("href").filter(|(h, _)| !h.is_empty())
                {
                    self.page.canonical = Some(Sourced {
                        text: href.trim().to_owned(),
                        span,
                    });
                }
            }
            "input" => {
                let is_password = self
                    .tag
                    .get("type")
                    .is_some_and(|t| t.eq_ignore_ascii_case("password"));
                self.page.password_fields += usize::from(is_password);
            }
            _ => {}
        }
    }

    fn meta(&mut self) {
        let name = self.tag.get("property").or(self.tag.get("name"));
        if let (Some(name), Some((content, span))) = (name, self.tag.sourced("content"))
            && self.page.metas.len() < PARTS_MAX
            && !content.trim().is_empty()
        {
            let name = cut(name, 100).to_ascii_lowercase();
            let span = self.trimmed(span);
            self.page.metas.push((
                name,
                Sourced {
                    text: content.trim().to_owned(),
                    span,
                },
            ));
        }
    }

    fn challenge(&mut self) {
        const CHALLENGES: [(&str, &str); 8] = [
            ("challenges.cloudflare.com", "Cloudflare"),
            ("challenge-platform", "Cloudflare"),
            ("cf-challenge", "Cloudflare"),
            ("px-captcha", "HUMAN (PerimeterX)"),
            ("captcha-delivery.com", "DataDome"),
            ("recaptcha", "reCAPTCHA"),
            ("hcaptcha", "hCaptcha"),
            ("awswaf", "AWS WAF"),
        ];
        for (name, value, _) in &self.tag.attributes {
            if !matches!(*name, "src" | "id" | "class" | "action")
                || self.page.challenges.len() >= 8
            {
                continue;
            }
            let value = cut(value, 512).to_ascii_lowercase();
            for (mark, vendor) in CHALLENGES {
                if value.contains(mark) && !self.page.challenges.contains(&vendor) {
                    self.page.challenges.push(vendor);
                }
            }
        }
    }

    // Areas: what is the posting, and what is the frame around it.

    fn enter_area(&mut self, element: &Element, name: &str) {
        match element.area {
            Some(Area::Main | Area::Article) => self.areas.inside_main += 1,
            Some(Area::Header) => {
                self.areas.inside_frame += 1;
                self.areas.heading_in_header = false;
            }
            Some(Area::Frame) => self.areas.inside_frame += 1,
            None => {}
        }
        self.areas.heading_in_header |= name == "h1";
    }

    fn leave_area(&mut self, element: &Element) {
        let Some(area) = element.area else { return };
        let range = element.area_start..self.writer.len();
        let areas = &mut self.areas;
        match area {
            Area::Main | Area::Article => {
                areas.inside_main = areas.inside_main.saturating_sub(1);
                if areas.inside_main == 0 && area == Area::Main {
                    areas.main += range.len();
                } else if areas.inside_main == 0 {
                    areas.article += range.len();
                    areas.articles += 1;
                }
            }
            Area::Header | Area::Frame => {
                areas.inside_frame = areas.inside_frame.saturating_sub(1);
                let holds_title = area == Area::Header && areas.heading_in_header;
                if areas.inside_main == 0
                    && areas.inside_frame == 0
                    && !holds_title
                    && !range.is_empty()
                {
                    areas.frame.push(range);
                }
            }
        }
    }

    // Items: microdata and RDFa.

    fn open_item(&mut self, name: &str, is_void: bool, element: &mut Element) {
        if self.tag.has("itemscope") {
            let types = words(self.tag.get("itemtype").unwrap_or("")).join(" ");
            let names = words(self.tag.get("itemprop").unwrap_or(""));
            element.item = self.begin_item(Markup::Microdata, types, names);
        } else if let Some(types) = self.tag.get("typeof") {
            let types = words(types).join(" ");
            let names = words(self.tag.get("property").unwrap_or(""));
            element.item = self.begin_item(Markup::Rdfa, types, names);
        } else {
            let (markup, names) = match (self.tag.get("itemprop"), self.tag.get("property")) {
                (Some(names), _) => (Markup::Microdata, words(names)),
                (None, Some(names)) => (Markup::Rdfa, words(names)),
                (None, None) => return,
            };
            if names.is_empty() || !self.items.iter().any(|i| i.markup == markup) {
                return;
            }
            match self.attribute_value(name) {
                Some(node) => self.add(markup, names, node),
                None if !is_void && self.captures.len() < CAPTURES_MAX => {
                    let writer = TextWriter::new(PROPERTY_BYTES_MAX);
                    self.captures.push(Capture {
                        markup,
                        names,
                        writer,
                        span: None,
                    });
                    element.capture = true;
                }
                None => {}
            }
        }
    }

    fn begin_item(&mut self, markup: Markup, types: String, names: Vec<String>) -> bool {
        if self.items.len() >= ITEMS_OPEN_MAX {
            return false;
        }
        let at = self.tag.start;
        let members = vec![(
            "@type".to_owned(),
            Node {
                span: at..at,
                value: Value::String(types),
            },
        )];
        self.items.push(Item {
            markup,
            start: at,
            names,
            members,
        });
        true
    }

    /// The value that the standards take from an attribute rather than from the text.
    fn attribute_value(&self, name: &str) -> Option<Node> {
        let attribute = match name {
            _ if self.tag.has("content") => "content",
            "a" | "link" | "area" => "href",
            "img" | "iframe" | "embed" | "source" | "audio" | "video" | "track" => "src",
            "time" => "datetime",
            "data" | "meter" => "value",
            _ => return None,
        };
        // A link without a target and a time without a date say what their text says.
        let (value, span) = self
            .tag
            .sourced(attribute)
            .filter(|(value, _)| !value.trim().is_empty())?;
        Some(Node {
            span: self.trimmed(span),
            value: Value::String(value.trim().to_owned()),
        })
    }

    fn close_capture(&mut self) {
        let Some(capture) = self.captures.pop() else {
            return;
        };
        if let Some(span) = capture.span {
            let node = Node {
                span,
                value: Value::String(capture.writer.finish()),
            };
            self.add(capture.markup, capture.names, node);
        }
    }

    fn close_item(&mut self, end: usize) {
        let Some(item) = self.items.pop() else { return };
        let end = end.max(item.start).min(self.source.len());
        let node = Node {
            span: item.start..end,
            value: Value::Object(item.members),
        };
        if !item.names.is_empty() && self.items.iter().any(|i| i.markup == item.markup) {
            self.add(item.markup, item.names, node);
        } else if self.page.items.len() < PARTS_MAX {
            self.page.items.push((item.markup, node));
        }
    }

    fn add(&mut self, markup: Markup, names: Vec<String>, node: Node) {
        let Some(item) = self.items.iter_mut().rev().find(|i| i.markup == markup) else {
            return;
        };
        for name in names {
            let has_room = item.members.len() < PROPERTIES_MAX;
            match item.members.iter_mut().find(|(n, _)| *n == name) {
                Some((
                    _,
                    Node {
                        value: Value::Array(values),
                        ..
                    },
                )) if values.len() < PARTS_MAX => {
                    values.push(node.clone());
                }
                Some((_, first)) => {
                    let span = first.span.clone();
                    let values = vec![first.clone(), node.clone()];
                    *first = Node {
                        span,
                        value: Value::Array(values),
                    };
                }
                None if has_room => item.members.push((name, node.clone())),
                None => {}
            }
        }
    }

    /// `span` without the blanks at its ends.
    fn trimmed(&self, span: Range<usize>) -> Range<usize> {
        let Some(raw) = self.source.get(span.clone()) else {
            return span.start..span.start;
        };
        let start = span.start + (raw.len() - raw.trim_start().len());
        start..start + raw.trim().len()
    }

    fn finish(mut self) -> Page {
        while !self.open.is_empty() {
            self.pop(self.source.len());
        }
        self.page.visible_cut = self.writer.is_full();
        let text = std::mem::replace(&mut self.writer, TextWriter::new(0)).finish();
        let areas = &self.areas;
        let main = if areas.main >= MAIN_BYTES_MIN {
            areas.main
        } else if areas.articles == 1 && areas.article * 2 >= text.len() {
            areas.article
        } else {
            0
        };
        let left_out = if main >= MAIN_BYTES_MIN {
            std::mem::take(&mut self.areas.frame)
        } else {
            Vec::new()
        };
        let kept = if left_out.is_empty() {
            text
        } else {
            without(&text, &left_out)
        };
        let visible = kept.trim();
        let lead = kept.len() - kept.trim_start().len();
        self.place_marks(&left_out, lead);
        self.page.visible = visible.to_owned();
        self.page
    }
}

impl Scan<'_> {
    /// Marks as ranges of the text without `left_out` and its first `lead` bytes; those inside of
    /// what is left out are gone.
    fn place_marks(&mut self, left_out: &[Range<usize>], lead: usize) {
        let mut gone = vec![0];
        for range in left_out {
            gone.push(gone.last().copied().unwrap_or(0) + range.len());
        }
        let before = |at: usize| -> usize {
            let index = left_out.partition_point(|r| r.end <= at);
            let partly = left_out
                .get(index)
                .map_or(0, |r| at.saturating_sub(r.start));
            gone[index] + partly
        };
        let moved = |at: usize| at.saturating_sub(before(at)).saturating_sub(lead);
        let place = |range: &Range<usize>| {
            let range = moved(range.start)..moved(range.end);
            (!range.is_empty()).then_some(range)
        };
        self.marks.headings.sort_by_key(|h| !h.in_main);
        let of = |first: bool| -> Vec<Range<usize>> {
            let headings = self.marks.headings.iter();
            headings
                .filter(|h| h.is_first == first)
                .filter_map(|h| place(&h.range))
                .collect()
        };
        (self.page.headings, self.page.subheadings) = (of(true), of(false));
        self.page.frames = self.marks.frames.iter().filter_map(place).collect();
        self.page.label_ends = self.marks.label_ends.iter().map(|at| moved(*at)).collect();
        self.page.label_ends.sort_unstable();
    }
}

/// `text` without `ranges`, which are in order and apart.
fn without(text: &str, ranges: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        out.push_str(text.get(at..range.start).unwrap_or(""));
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

/// Property and type names without their vocabulary: `http://schema.org/JobPosting` → `JobPosting`.
fn words(text: &str) -> Vec<String> {
    let last = |word: &str| {
        word.rsplit(['/', '#', ':'])
            .next()
            .unwrap_or(word)
            .to_owned()
    };
    text.split_ascii_whitespace()
        .take(8)
        .map(last)
        .filter(|w| !w.is_empty())
        .collect()
}

fn attribute_of_interest(name: &[u8]) -> Option<&'static str> {
    const NAMES: [&str; 20] = [
        "action",
        "class",
        "content",
        "datetime",
        "hidden",
        "href",
        "id",
        "itemprop",
        "itemscope",
        "itemtype",
        "lang",
        "name",
        "property",
        "rel",
        "role",
        "src",
        "style",
        "type",
        "typeof",
        "value",
    ];
    NAMES.into_iter().find(|n| n.as_bytes() == name)
}

fn area(name: &str, role: Option<&str>) -> Option<Area> {
    match (name, role) {
        ("main", _) | (_, Some("main")) => Some(Area::Main),
        ("article", _) => Some(Area::Article),
        ("header", _) | (_, Some("banner")) => Some(Area::Header),
        ("nav" | "footer" | "aside", _)
        | (_, Some("navigation" | "contentinfo" | "complementary")) => Some(Area::Frame),
        _ => None,
    }
}

/// Whether an element's class or id calls it navigation or another part of the frame.
fn is_frame(tag: &Tag) -> bool {
    const NAMES: [&str; 20] = [
        "nav",
        "navbar",
        "navigation",
        "menu",
        "main-menu",
        "main-nav",
        "mainnav",
        "site-nav",
        "topnav",
        "topbar",
        "top-bar",
        "breadcrumb",
        "breadcrumbs",
        "footer",
        "site-footer",
        "page-footer",
        "header",
        "site-header",
        "page-header",
        "skip-link",
    ];
    [tag.get("class"), tag.get("id")]
        .into_iter()
        .flatten()
        .flat_map(|value| value.split_ascii_whitespace().take(16))
        .any(|word| NAMES.iter().any(|name| word.eq_ignore_ascii_case(name)))
}

/// Whether a reader does not see what is inside this element.
fn hides(name: &str, tag: &Tag) -> bool {
    let never_shown = matches!(
        name,
        "script"
            | "style"
            | "noscript"
            | "template"
            | "svg"
            | "math"
            | "iframe"
            | "object"
            | "select"
            | "textarea"
            | "datalist"
            | "canvas"
            | "video"
            | "audio"
            | "title"
            | "dialog"
    );
    never_shown
        || tag
            .get("hidden")
            .is_some_and(|value| !value.eq_ignore_ascii_case("until-found"))
        || tag.get("style").is_some_and(|style| {
            let style: String = style
                .chars()
                .take(1000)
                .filter(|c| !c.is_whitespace())
                .collect::<String>()
                .to_ascii_lowercase();
            style.contains("display:none") || style.contains("visibility:hidden")
        })
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_become_readable() {
        for (text, want) in [
            (
                "<p>One</p><ul><li><p>Two</p></li><li>Three &amp; four</li></ul>",
                "One\n\n- Two\n- Three & four",
            ),
            (
                "&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&amp;nbsp;x&lt;/p&gt;",
                "One\n\nTwo x",
            ),
            ("<ul><li>One</li></ul>After", "- One\n\nAfter"),
            (
                "plain  text\n\nwith lines\nhere",
                "plain text\n\nwith lines\nhere",
            ),
            ("R&amp;D &lt; 5", "R&D < 5"),
            ("a<br>b<br/>c", "a\nb\nc"),
            ("Full-time<span></span>Berlin", "Full-time Berlin"),
        ] {
            assert_eq!(readable(text, 1000), want, "{text}");
        }
    }

    #[test]
    fn the_visible_text_is_what_a_reader_sees() {
        for (html, want) in [
            (
                "<title>T</title><script>var a='<p>no</p>'</script><style>p{}</style><p>Yes",
                "Yes",
            ),
            ("<div>One<div>Two</div></div>Three", "One\nTwo\nThree"),
            ("<ul><li>a<li>b</ul>", "- a\n- b"),
            (
                "<p hidden>no</p><div style='display: NONE'><p>no</p></div>yes",
                "yes",
            ),
            (
                "<noscript>no</noscript><template><p>no</p></template><svg><title>no</title><path/></svg>yes",
                "yes",
            ),
            ("caf&eacute; &amp; bar&nbsp;!", "café & bar !"),
            (
                "<b>Soft</b>ware <span>Berlin</span><span>Full-time</span>",
                "Software Berlin Full-time",
            ),
            ("<table><tr><td>a<td>b<tr><td>c</table>", "a\tb\nc"),
            ("<pre>a\n b</pre>", "a\nb"),
            ("<a aria-hidden=true>kept</a>", "kept"),
        ] {
            assert_eq!(read(html).visible, want, "{html}");
        }
    }

    #[test]
    fn a_clear_main_area_leaves_out_the_frame() {
        let body = "A sentence about the work. ".repeat(20);
        let page = format!(
            "<header><nav>Menu</nav></header><header><h1>Baker</h1></header><main><p>{body}</p></main><footer>Imprint</footer>"
        );
        let visible = read(&page).visible;
        assert!(
            visible.starts_with("Baker")
                && !visible.contains("Menu")
                && !visible.contains("Imprint"),
            "{visible}"
        );
        let short = read("<nav>Menu</nav><main>Baker</main><footer>Imprint</footer>").visible;
        assert_eq!(short, "Menu\n\nBaker\n\nImprint");
    }

    #[test]
    fn items_are_read_with_their_spans() {
        let html = r#"<div itemscope itemtype="https://schema.org/JobPosting"><h1 itemprop="title"> Night
 <b>Baker</b></h1><span itemprop="hiringOrganization" itemscope itemtype="http://schema.org/Organization"><a itemprop="name">Oriel</a></span><meta itemprop="datePosted" content="2026-01-02"><time itemprop=validThrough datetime="2026-02-03">soon</time></div>"#;
        let page = read(html);
        let (markup, job) = &page.items[0];
        assert_eq!(*markup, Markup::Microdata);
        let title = job.get("title").unwrap();
        assert_eq!(title.as_str(), Some("Night Baker"));
        assert_eq!(&html[title.span.clone()], "Night\n <b>Baker");
        let date = job.get("datePosted").unwrap();
        assert_eq!(
            (&html[date.span.clone()], date.as_str()),
            ("2026-01-02", Some("2026-01-02"))
        );
        assert_eq!(
            job.get("validThrough").and_then(Node::as_str),
            Some("2026-02-03")
        );
        assert_eq!(
            job.get("hiringOrganization")
                .and_then(|o| o.get("name"))
                .and_then(Node::as_str),
            Some("Oriel")
        );
    }

    #[test]
    fn the_head_is_read() {
        let html = "<html lang=de><head><title>Bäcker &amp; Co</title><meta property=og:title content='Bäcker'><link rel='x canonical' href=https://oriel.example/7><script type='Application/LD+JSON; charset=utf-8'>{\"a\":1}</script>";
        let page = read(html);
        assert_eq!(page.lang.as_deref(), Some("de"));
        assert_eq!(page.title.unwrap().text, "Bäcker & Co");
        assert_eq!(page.metas[0].1.text, "Bäcker");
        assert_eq!(&html[page.metas[0].1.span.clone()], "Bäcker");
        assert_eq!(page.canonical.unwrap().text, "https://oriel.example/7");
        assert_eq!(&html[page.scripts[0].clone()], "{\"a\":1}");
    }
}
