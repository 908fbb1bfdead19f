//! A forgiving JSON reader that keeps the byte span of each value.
//!
//! It reads what stands in real pages: RFC 8259, and besides it trailing and missing commas, raw
//! control characters in strings, quotes that were not escaped, `&quot;` for quotes, single quotes,
//! bare keys, comments of HTML and JavaScript, CDATA marks, a byte order mark, several documents
//! one after the other, and documents cut off in the middle. Each repair is counted by kind, so
//! that a repaired value can be trusted a little less.
//!
//! Time is linear in the input: every look ahead is bounded or only crosses blanks.

use std::ops::Range;

/// Nesting beyond this is not read: no job posting needs a tenth of it, and it bounds the stack.
pub(crate) const DEPTH_MAX: usize = 128;

/// Values read of one text; beyond it the rest is left out. A board of 5,000 jobs has 300,000, and
/// this many take about 100 MB.
const VALUES_MAX: usize = 1 << 20;

/// A value and where it stands. A string's span is what stands between its quotes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub span: Range<usize>,
    pub value: Value,
}

/// A JSON value. Numbers keep their digits in the span.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// What was read, and what had to be repaired for it.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The documents, one after the other.
    pub documents: Vec<Node>,
    /// What had to be repaired, by kind, each once, in order of appearance.
    pub repairs: Vec<&'static str>,
    /// Whether something was nested deeper than [`DEPTH_MAX`] and left out.
    pub too_deep: bool,
    /// Whether there were more than [`VALUES_MAX`] values.
    pub too_many: bool,
}

/// Reads every JSON document in `text[range]`; spans count from the start of `text`.
pub(crate) fn parse(text: &str, range: Range<usize>) -> Parsed {
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: range.start,
        end: range.end,
        text,
        parsed: Parsed::default(),
        values: 0,
    };
    reader.documents();
    reader.parsed
}

impl Node {
    /// The member `key` of an object; the last one, as browsers have it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Object(members) => members.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// A string's text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array.
    #[cfg(test)]
    pub fn elements(&self) -> &[Node] {
        match &self.value {
            Value::Array(elements) => elements,
            _ => &[],
        }
    }

    /// The members of an object.
    pub fn members(&self) -> &[(String, Node)] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(self.value, Value::Object(_))
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    end: usize,
    parsed: Parsed,
    values: usize,
}

/// What a string is closed by.
#[derive(Clone, Copy, PartialEq)]
enum Quote {
    Double,
    Single,
    Entity,
}

/// Where a value stands; says what may follow its closing quote.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Nothing,
    Array,
    ObjectKey,
    ObjectValue,
}

impl Reader<'_> {
    fn documents(&mut self) {
        loop {
            self.blanks();
            // Between documents anything may stand: a semicolon, a stray bracket, words.
            while self.at < self.end && !matches!(self.bytes[self.at], b'{' | b'[' | b'"') {
                if let Some(node) = self.word_or_number() {
                    self.parsed.documents.push(node);
                } else {
                    self.unreadable();
                }
                self.blanks();
            }
            if self.at >= self.end {
                break;
            }
            if !self.parsed.documents.is_empty() {
                self.repaired("several documents");
            }
            if let Some(node) = self.value(0, Inside::Nothing) {
                self.parsed.documents.push(node);
            }
        }
    }

    fn value(&mut self, depth: usize, inside: Inside) -> Option<Node> {
        self.blanks();
        self.values += 1;
        if self.values > VALUES_MAX {
            self.parsed.too_many = true;
            self.at = self.end;
        }
        let start = self.at;
        match self.peek()? {
            b'{' | b'[' if depth >= DEPTH_MAX => {
                self.parsed.too_deep = true;
                self.skip_nested();
                Some(Node {
                    span: start..self.at,
                    value: Value::Null,
                })
            }
            b'{' => Some(self.object(depth)),
            b'[' => Some(self.array(depth)),
            _ => match self.opening_quote() {
                Some(quote) => Some(self.string(quote, inside)),
                None => self.word_or_number(),
            },
        }
    }

    fn object(&mut self, depth: usize) -> Node {
        let start = self.at;
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.separators(b'}');
            match self.peek() {
                None => break self.repaired("cut off"),
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                Some(b']') => break self.repaired("brackets that do not match"),
                Some(_) => {}
            }
            let Some(key) = self.key() else {
                self.unreadable();
                continue;
            };
            self.blanks();
            if self.peek() == Some(b':') {
                self.at += 1;
            } else {
                self.repaired("a missing colon");
            }
            self.blanks();
            if matches!(self.peek(), Some(b',' | b'}')) {
                self.repaired("a missing value");
                continue;
            }
            match self.value(depth + 1, Inside::ObjectValue) {
                Some(node) => members.push((key, node)),
                None => self.unreadable(),
            }
        }
        Node {
            span: start..self.at,
            value: Value::Object(members),
        }
    }

    fn array(&mut self, depth: usize) -> Node {
        let start = self.at;
        self.at += 1;
        let mut elements = Vec::new();
        loop {
            self.separators(b']');
            match self.peek() {
                None => break self.repaired("cut off"),
                Some(b']') => {
                    self.at += 1;
                    break;
                }
                Some(b'}') => break self.repaired("brackets that do not match"),
                Some(_) => {}
            }
            match self.value(depth + 1, Inside::Array) {
                Some(node) => elements.push(node),
                None => self.unreadable(),
            }
        }
        Node {
            span: start..self.at,
            value: Value::Array(elements),
        }
    }

    /// Blanks and commas before the next member; notes those that should not be there.
    fn separators(&mut self, close: u8) {
        self.blanks();
        let mut commas = 0;
        while self.peek() == Some(b',') {
            self.at += 1;
            commas += 1;
            self.blanks();
        }
        if commas > 1 || (commas == 1 && self.peek() == Some(close)) {
            self.repaired("a trailing comma");
        }
    }

    fn unreadable(&mut self) {
        if self.at < self.end {
            self.at += 1;
            // Stay on a character boundary: spans become slices of the text.
            while self.at < self.end && !self.text.is_char_boundary(self.at) {
                self.at += 1;
            }
            self.repaired("text outside of the JSON");
        }
    }

    fn key(&mut self) -> Option<String> {
        if let Some(quote) = self.opening_quote() {
            return match self.string(quote, Inside::ObjectKey).value {
                Value::String(key) => Some(key),
                _ => None,
            };
        }
        let start = self.at;
        while self
            .peek()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b"_$@-.".contains(&b))
        {
            self.at += 1;
        }
        if start == self.at {
            return None;
        }
        self.repaired("a key without quotes");
        Some(self.text[start..self.at].to_owned())
    }

    fn opening_quote(&self) -> Option<Quote> {
        match self.peek()? {
            b'"' => Some(Quote::Double),
            b'\'' => Some(Quote::Single),
            b'&' if self.entity_quote().is_some() => Some(Quote::Entity),
            _ => None,
        }
    }

    fn entity_quote(&self) -> Option<usize> {
        const ENTITIES: [&[u8]; 4] = [b"&quot;", b"&#34;", b"&#034;", b"&#x22;"];
        let rest = &self.bytes[self.at..self.end];
        ENTITIES
            .iter()
            .find(|e| rest.starts_with(e))
            .map(|e| e.len())
    }

    fn string(&mut self, quote: Quote, inside: Inside) -> Node {
        self.at += match quote {
            Quote::Entity => self.entity_quote().unwrap_or(1),
            _ => 1,
        };
        match quote {
            Quote::Double => {}
            Quote::Single => self.repaired("single quotes"),
            Quote::Entity => self.repaired("HTML entities"),
        }
        let start = self.at;
        let mut out = String::new();
        let mut chunk = self.at;
        let end = loop {
            let Some(byte) = self.peek() else {
                out.push_str(&self.text[chunk..self.at]);
                self.repaired("cut off");
                break self.at;
            };
            match byte {
                b'\\' => {
                    out.push_str(&self.text[chunk..self.at]);
                    self.escape(&mut out);
                    chunk = self.at;
                }
                b'"' | b'\'' | b'&' => {
                    let width = self.closing_width(quote, byte);
                    if width == 0 {
                        self.at += 1;
                    } else if self.closes(width, inside) {
                        out.push_str(&self.text[chunk..self.at]);
                        let end = self.at;
                        self.at += width;
                        break end;
                    } else {
                        self.repaired("quotes that were not escaped");
                        self.at += width;
                    }
                }
                0..=31 => {
                    self.repaired("control characters in a string");
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        };
        Node {
            span: start..end,
            value: Value::String(out),
        }
    }

    fn closing_width(&self, quote: Quote, byte: u8) -> usize {
        match (quote, byte) {
            (Quote::Double, b'"') | (Quote::Single, b'\'') => 1,
            (Quote::Entity, b'&') => self.entity_quote().unwrap_or(0),
            _ => 0,
        }
    }

    /// Whether the quote here ends the string, judged by what follows it.
    fn closes(&self, width: usize, inside: Inside) -> bool {
        let mut at = self.skip_blanks_from(self.at + width);
        let Some(next) = self.byte(at) else {
            return true;
        };
        match (inside, next) {
            (Inside::Nothing, _) => true,
            (Inside::ObjectKey, b':') => true,
            (Inside::ObjectKey, _) => false,
            (_, b'}' | b']' | b'/' | b'<') => true,
            (Inside::Array, b',') => {
                at = self.skip_blanks_from(at + 1);
                self.byte(at).is_none_or(|b| {
                    matches!(
                        b,
                        b'"' | b'\'' | b'{' | b'[' | b']' | b'&' | b'-' | b',' | b'/' | b'0'
                            ..=b'9' | b't' | b'f' | b'n'
                    )
                })
            }
            (_, b',') => {
                at = self.skip_blanks_from(at + 1);
                self.byte(at)
                    .is_none_or(|b| matches!(b, b'}' | b',' | b'/'))
                    || self.key_at(at)
            }
            // A missing comma: the next thing is a key.
            (Inside::ObjectValue, _) => at > self.at + width && self.key_at(at),
            (Inside::Array, b'"' | b'{' | b'[') => at > self.at + width,
            _ => false,
        }
    }

    /// Whether a key and its colon stand at `at`. Looks at most 80 bytes ahead.
    fn key_at(&self, at: usize) -> bool {
        let end = self.end.min(at + 80);
        let window = &self.bytes[at.min(end)..end];
        let body = match window.first() {
            Some(b'"' | b'\'') => &window[1..],
            Some(b'&') => match window.iter().position(|b| *b == b';') {
                Some(semicolon) => &window[semicolon + 1..],
                None => return false,
            },
            Some(b) if b.is_ascii_alphabetic() => window,
            _ => return false,
        };
        let bare = std::ptr::eq(body, window);
        let name = |b: u8| {
            b.is_ascii_alphanumeric()
                || b"_@$-:./# ".contains(&b) && (!bare || b != b' ' && b != b':')
        };
        let width = body.iter().position(|b| !name(*b)).unwrap_or(body.len());
        let after = &body[width..];
        let after = if bare {
            after
        } else {
            match after.first() {
                Some(b'"' | b'\'') => &after[1..],
                Some(b'&') => match after.iter().position(|b| *b == b';') {
                    Some(semicolon) => &after[semicolon + 1..],
                    None => return false,
                },
                // The key is longer than the window: believe it.
                None => return window.len() == 80,
                _ => return false,
            }
        };
        after.trim_ascii_start().first() == Some(&b':')
    }

    fn escape(&mut self, out: &mut String) {
        self.at += 1;
        let Some(byte) = self.peek() else { return };
        self.at += 1;
        match byte {
            b'n' => out.push('\n'),
            b't' => out.push('\t'),
            b'r' => out.push('\r'),
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'u' => self.unicode_escape(out),
            b'"' | b'\\' | b'/' => out.push(byte as char),
            _ => {
                self.at -= 1;
                self.repaired("an unknown escape");
                out.push_str(&self.text[self.at..self.at + self.char_width()]);
                self.at += self.char_width();
            }
        }
    }

    fn unicode_escape(&mut self, out: &mut String) {
        let Some(high) = self.hex4(self.at) else {
            return self.repaired("an unknown escape");
        };
        self.at += 4;
        let is_low = |low: &u32| (0xDC00..0xE000).contains(low);
        let code = if (0xD800..0xDC00).contains(&high)
            && self.bytes[self.at..self.end].starts_with(b"\\u")
        {
            match self.hex4(self.at + 2).filter(is_low) {
                Some(low) => {
                    self.at += 6;
                    0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
                }
                None => high,
            }
        } else {
            high
        };
        out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
    }

    fn hex4(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 4).filter(|_| at + 4 <= self.end)?;
        digits
            .iter()
            .try_fold(0, |n, d| Some(n * 16 + (*d as char).to_digit(16)?))
    }

    fn word_or_number(&mut self) -> Option<Node> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b))
        {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        let value = match word {
            "" => return None,
            "null" | "undefined" | "NaN" | "None" => Value::Null,
            "true" | "True" => Value::Bool(true),
            "false" | "False" => Value::Bool(false),
            number => match number.parse::<f64>() {
                Ok(n) if n.is_finite() => Value::Number(n),
                _ => {
                    self.repaired("a value without quotes");
                    Value::String(number.to_owned())
                }
            },
        };
        Some(Node {
            span: start..self.at,
            value,
        })
    }

    /// Passes a bracketed value without reading it, knowing only strings.
    fn skip_nested(&mut self) {
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'{' | b'[' => open += 1,
                b'}' | b']' => {
                    open -= 1;
                    if open == 0 {
                        return;
                    }
                }
                b'"' => {
                    while let Some(byte) = self.peek() {
                        self.at += if byte == b'\\' { 2 } else { 1 };
                        if byte == b'"' {
                            break;
                        }
                    }
                    self.at = self.at.min(self.end);
                    while !self.text.is_char_boundary(self.at) {
                        self.at += 1;
                    }
                }
                _ => {}
            }
        }
    }

    /// Passes white space, byte order marks and comments.
    fn blanks(&mut self) {
        loop {
            let before = self.at;
            self.at = self.skip_blanks_from(self.at);
            let rest = &self.bytes[self.at..self.end];
            let comment: Option<(&[u8], &'static str)> = if rest.starts_with(b"//") {
                // `//<![CDATA[` and `//]]>` may share their line with JSON.
                let after = &rest[2..];
                if after.starts_with(b"<![CDATA[") || after.starts_with(b"]]>") {
                    self.at += 2;
                    continue;
                }
                Some((b"\n", "comments"))
            } else if rest.starts_with(b"/*") {
                Some((b"*/", "comments"))
            } else if rest.starts_with(b"<!--") {
                // Either a comment before the JSON or a mark around it.
                let brace = rest
                    .iter()
                    .position(|b| matches!(b, b'{' | b'['))
                    .unwrap_or(rest.len());
                if rest[..brace].windows(3).any(|w| w == b"-->") {
                    Some((b"-->", "comments"))
                } else {
                    self.repaired("comments");
                    self.at += brace;
                    continue;
                }
            } else {
                None
            };
            if let Some((close, what)) = comment {
                self.repaired(what);
                let width = rest
                    .windows(close.len())
                    .position(|w| w == close)
                    .map(|p| p + close.len());
                self.at += width.unwrap_or(rest.len());
            } else if let Some(mark) = [&b"<![CDATA["[..], b"]]>", b"-->"]
                .iter()
                .find(|m| rest.starts_with(m))
            {
                self.repaired("comments");
                self.at += mark.len();
            }
            if self.at == before {
                return;
            }
        }
    }

    fn skip_blanks_from(&self, mut at: usize) -> usize {
        loop {
            match self.byte(at) {
                Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) => at += 1,
                // A byte order mark or a no-break space.
                Some(0xEF) if self.bytes[at..self.end].starts_with(b"\xEF\xBB\xBF") => at += 3,
                Some(0xC2) if self.byte(at + 1) == Some(0xA0) => at += 2,
                _ => return at,
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        if at < self.end {
            self.bytes.get(at).copied()
        } else {
            None
        }
    }

    fn char_width(&self) -> usize {
        self.text[self.at..self.end]
            .chars()
            .next()
            .map_or(0, char::len_utf8)
    }

    fn repaired(&mut self, what: &'static str) {
        if !self.parsed.repairs.contains(&what) {
            self.parsed.repairs.push(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Number(n) => serde_json::json!(n),
            Value::String(s) => s.as_str().into(),
            Value::Array(a) => a.iter().map(plain).collect(),
            Value::Object(o) => o
                .iter()
                .map(|(k, v)| (k.clone(), plain(v)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    #[track_caller]
    fn check(text: &str, want: &str, repairs: &[&str]) {
        let parsed = parse(text, 0..text.len());
        let documents: Vec<_> = parsed.documents.iter().map(plain).collect();
        let want: Vec<serde_json::Value> = serde_json::from_str(want).unwrap();
        assert_eq!(documents, want, "{text}");
        assert_eq!(parsed.repairs, repairs, "{text}");
    }

    #[test]
    fn well_formed_json_needs_no_repair() {
        check(
            r#"{"a":[1.0,-2.5e3,true,null,"x\u00e9\ud83d\ude00\n\"q\""],"b":{}}"#,
            r#"[{"a":[1.0,-2500.0,true,null,"xé😀\n\"q\""],"b":{}}]"#,
            &[],
        );
        check(
            r#"{"a":"one, two","b":"x: y"}"#,
            r#"[{"a":"one, two","b":"x: y"}]"#,
            &[],
        );
        check("[]", "[[]]", &[]);
    }

    #[test]
    fn damage_of_the_wild_is_repaired() {
        for (text, want, repair) in [
            ("{\"a\":1.5,}", r#"[{"a":1.5}]"#, "a trailing comma"),
            ("[\"x\",,\"y\",]", r#"[["x","y"]]"#, "a trailing comma"),
            (
                "{\"a\":\"x\ny\tz\"}",
                r#"[{"a":"x\ny\tz"}]"#,
                "control characters in a string",
            ),
            (
                "{\"a\":\"the \"best\" team\",\"b\":\"c\"}",
                r#"[{"a":"the \"best\" team","b":"c"}]"#,
                "quotes that were not escaped",
            ),
            (
                "{\"a\":\"said \"hi\", then left\"}",
                r#"[{"a":"said \"hi\", then left"}]"#,
                "quotes that were not escaped",
            ),
            (
                "{&quot;a&quot;:&quot;b &amp; c&quot;}",
                r#"[{"a":"b &amp; c"}]"#,
                "HTML entities",
            ),
            ("{'a':'b'}", r#"[{"a":"b"}]"#, "single quotes"),
            ("{a:\"b\"}", r#"[{"a":"b"}]"#, "a key without quotes"),
            (
                "//<![CDATA[\n{\"a\":\"b\"}\n//]]>",
                r#"[{"a":"b"}]"#,
                "comments",
            ),
            ("<!-- x -->{\"a\":\"b\"}", r#"[{"a":"b"}]"#, "comments"),
            ("<!--\n{\"a\":\"b\"}\n-->", r#"[{"a":"b"}]"#, "comments"),
            (
                "{\"a\":\"b\", // c\n /* d */ \"e\":\"f\"}",
                r#"[{"a":"b","e":"f"}]"#,
                "comments",
            ),
            (
                "{\"a\":\"b\"}{\"c\":\"d\"}",
                r#"[{"a":"b"},{"c":"d"}]"#,
                "several documents",
            ),
            (
                "{\"a\":\"b\",\"c\":[\"d",
                r#"[{"a":"b","c":["d"]}]"#,
                "cut off",
            ),
            ("{\"a\":\"b\"\n \"c\":\"d\"}", r#"[{"a":"b","c":"d"}]"#, ""),
            (
                "{\"a\":\"b\"};",
                r#"[{"a":"b"}]"#,
                "text outside of the JSON",
            ),
            ("\u{feff}{\"a\":\"b\"}", r#"[{"a":"b"}]"#, ""),
            ("{\"a\":\"x\\qy\"}", r#"[{"a":"xqy"}]"#, "an unknown escape"),
        ] {
            let repairs: Vec<&str> = Some(repair).filter(|r| !r.is_empty()).into_iter().collect();
            let got = parse(text, 0..text.len()).repairs;
            check(text, want, &got);
            assert!(repairs.iter().all(|r| got.contains(r)), "{text}: {got:?}");
        }
    }

    #[test]
    fn spans_name_the_bytes() {
        let text = r#"x {"title":"A &amp; B","n": 12.5 }"#;
        let parsed = parse(text, 1..text.len());
        let node = &parsed.documents[0];
        assert_eq!(&text[node.get("title").unwrap().span.clone()], "A &amp; B");
        assert_eq!(&text[node.get("n").unwrap().span.clone()], "12.5");
    }

    #[test]
    fn deep_nesting_is_left_out_without_recursion() {
        let text = "[".repeat(100_000);
        assert!(parse(&text, 0..text.len()).too_deep);
        let text = format!(
            "{{\"a\":{}\"]{}, \"b\":\"c\"}}",
            "[".repeat(300),
            "\"".to_owned() + &"]".repeat(300)
        );
        let parsed = parse(&text, 0..text.len());
        assert_eq!(
            parsed.documents[0].get("b").and_then(Node::as_str),
            Some("c")
        );
    }

    proptest! {
        #[test]
        fn valid_json_is_read_as_serde_reads_it(text in "[a-z{}\\[\\]\":, 0-9é\\\\n]{0,60}") {
            if let Ok(want) = serde_json::from_str::<serde_json::Value>(&text)
                && !text.contains("\\u")
                && want.is_object()
            {
                let parsed = parse(&text, 0..text.len());
                prop_assert_eq!(parsed.documents.len(), 1);
            }
        }

        #[test]
        fn no_text_panics_and_spans_are_slices(text in "\\PC{0,200}|([{}\\[\\]\"'\\\\,:&;/<!\\-> a-zé0-9\n]{0,200})") {
            fn walk(node: &Node, text: &str) -> bool {
                text.get(node.span.clone()).is_some()
                    && node.elements().iter().all(|n| walk(n, text))
                    && node.members().iter().all(|(_, n)| walk(n, text))
            }
            let parsed = parse(&text, 0..text.len());
            prop_assert!(parsed.documents.iter().all(|d| walk(d, &text)));
        }
    }
}
