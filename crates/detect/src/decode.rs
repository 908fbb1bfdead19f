//! From bytes to text: magic numbers, charset, and what to do about damaged encodings.
//!
//! The order is the one of the WHATWG Encoding and HTML standards (byte order mark, `Content-Type`,
//! `<meta>`), with one addition: bytes that are valid UTF-8 and say so by their multi-byte
//! sequences are UTF-8 whatever the page declares. A wrong charset never loses a document: what
//! cannot be read becomes U+FFFD and an issue.

use crate::not_readable::NotReadable;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use ghostlight_model::{Issue, Severity};
use std::borrow::Cow;

/// Bytes read of an input; the rest is left out with an issue. 64 MiB is the input limit of
/// SPEC A1, so only a caller with another limit meets it.
pub const INPUT_BYTES_MAX: usize = 64 << 20;

/// Bytes looked at for a charset declaration. The HTML standard asks for 1024; real pages put
/// comments and scripts before it.
const PRESCAN_BYTES: usize = 4096;

/// Bytes looked at to tell text from binary data.
const SNIFF_BYTES: usize = 64 << 10;

/// Text, and what was wrong with its bytes.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub text: String,
    pub issues: Vec<Issue>,
}

/// Decodes `bytes`; an error if there is no text in them.
pub(crate) fn decode(bytes: &[u8], content_type: Option<&str>) -> Result<Decoded, NotReadable> {
    let mut issues = Vec::new();
    let bytes = capped(bytes, &mut issues);
    if let Some((encoding, bom)) = Encoding::for_bom(bytes) {
        return Ok(with(encoding, &bytes[bom..], "its byte order mark", issues));
    }
    if let Some(encoding) = utf16_without_bom(bytes) {
        return Ok(with(encoding, bytes, "its bytes", issues));
    }
    if let Some(kind) = binary_kind(bytes) {
        return Err(NotReadable::Binary {
            kind: kind.to_owned(),
        });
    }
    match declared(bytes, content_type) {
        Some((encoding, _)) if encoding == UTF_8 => Ok(utf8(bytes, issues)),
        Some((encoding, whence)) => Ok(other_than_utf8(encoding, bytes, whence, issues)),
        None => Ok(undeclared(bytes, issues)),
    }
}

/// An issue that deserves a look.
pub(crate) fn warning(code: &str, message: String, hint: Option<&str>) -> Issue {
    Issue::new(code, Severity::Warning, message, hint)
}

fn capped<'a>(bytes: &'a [u8], issues: &mut Vec<Issue>) -> &'a [u8] {
    if bytes.len() <= INPUT_BYTES_MAX {
        return bytes;
    }
    issues.push(warning(
        "input_truncated",
        format!(
            "only the first {INPUT_BYTES_MAX} of {} bytes were read",
            bytes.len()
        ),
        Some("split the input into smaller files"),
    ));
    &bytes[..INPUT_BYTES_MAX]
}

fn utf8(bytes: &[u8], mut issues: Vec<Issue>) -> Decoded {
    if is_windows_1252(bytes) {
        issues.push(warning(
            "wrong_charset",
            "the bytes are not the UTF-8 they are declared to be; they were read as windows-1252"
                .to_owned(),
            Some("if words are unreadable, save the page again with its right encoding"),
        ));
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
        return Decoded {
            text: text.into_owned(),
            issues,
        };
    }
    let text = String::from_utf8_lossy(bytes);
    if let Cow::Owned(damaged) = &text {
        let count = damaged.matches('\u{fffd}').count();
        issues.push(warning(
            "invalid_utf8",
            format!("{count} places are not valid UTF-8 and are shown as \u{fffd}"),
            Some("if words are unreadable, save the page again with its right encoding"),
        ));
    }
    Decoded {
        text: text.into_owned(),
        issues,
    }
}

fn other_than_utf8(
    encoding: &'static Encoding,
    bytes: &[u8],
    whence: &str,
    mut issues: Vec<Issue>,
) -> Decoded {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_ascii() => {
            issues.push(warning(
                "wrong_charset",
                format!(
                    "{whence} declares {}, but the bytes are UTF-8 and were read so",
                    encoding.name()
                ),
                None,
            ));
            Decoded {
                text: text.to_owned(),
                issues,
            }
        }
        _ => with(encoding, bytes, whence, issues),
    }
}

fn undeclared(bytes: &[u8], mut issues: Vec<Issue>) -> Decoded {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Decoded {
            text: text.to_owned(),
            issues,
        };
    }
    if mostly_utf8(bytes) {
        return utf8(bytes, issues);
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(SNIFF_BYTES)], true);
    let encoding = detector.guess(None, chardetng::Utf8Detection::Deny);
    issues.push(warning(
        "charset_guessed",
        format!(
            "the input names no charset and is not UTF-8; it was read as {}",
            encoding.name()
        ),
        Some("if words are unreadable, save the page again as UTF-8"),
    ));
    with(encoding, bytes, "a guess", issues)
}

fn with(
    encoding: &'static Encoding,
    bytes: &[u8],
    whence: &str,
    mut issues: Vec<Issue>,
) -> Decoded {
    let (text, damaged) = encoding.decode_without_bom_handling(bytes);
    if damaged {
        issues.push(warning(
            "wrong_charset",
            format!(
                "{whence} says {}, but some bytes are not; they are shown as \u{fffd}",
                encoding.name()
            ),
            Some("if words are unreadable, save the page again with its right encoding"),
        ));
    }
    Decoded {
        text: text.into_owned(),
        issues,
    }
}

/// Whether bytes that should be UTF-8 are windows-1252 instead: damaged in several places, hardly a
/// good sequence among them, and every high byte a character of windows-1252 that stands in text:
/// next to a letter or a blank, not in a row of others.
fn is_windows_1252(bytes: &[u8]) -> bool {
    /// One damaged place may be a slip; two alike are an encoding.
    const PLACES_MIN: usize = 2;
    /// More high bytes than this in a row are no Western text.
    const ROW_MAX: usize = 3;
    /// Text in windows-1252 is no good UTF-8 but by chance, seldom once in ten places.
    const CHANCE: usize = 10;
    let (good, bad) = sequences(bytes);
    if std::str::from_utf8(bytes).is_ok() || good * CHANCE > bad {
        return false;
    }
    let (mut places, mut row, mut letters, mut high) = (0_usize, 0_usize, 0_usize, 0_usize);
    for byte in bytes {
        if byte.is_ascii() {
            row = 0;
            continue;
        }
        // Not assigned in windows-1252.
        if matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d) {
            return false;
        }
        row += 1;
        places += usize::from(row == 1);
        high += 1;
        letters += usize::from(*byte >= 0xc0 && !matches!(byte, 0xd7 | 0xf7) || is_mark(*byte));
        if row > ROW_MAX {
            return false;
        }
    }
    places >= PLACES_MIN && letters * 10 >= high * 9
}

/// Marks of windows-1252 that stand in Western text: euro, quotes, dashes, bullet, no-break space,
/// pound, section, copyright, registered, degree, middle dot, guillemets, ordinals.
fn is_mark(byte: u8) -> bool {
    matches!(
        byte,
        0x80 | 0x82 | 0x84 | 0x85 | 0x8a | 0x8c | 0x8e | 0x91..=0x97 | 0x99..=0x9a | 0x9c | 0x9e..=0xa1
            | 0xa3 | 0xa7 | 0xa9..=0xab | 0xad | 0xae | 0xb0 | 0xb7 | 0xba | 0xbb | 0xbf
    )
}

/// Whether damaged bytes are UTF-8 all the same: at least three good sequences for a bad one.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (good, bad) = sequences(bytes);
    good >= 3 * bad
}

/// Good sequences of several bytes, and damaged places, as UTF-8.
fn sequences(bytes: &[u8]) -> (usize, usize) {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes[..bytes.len().min(SNIFF_BYTES)].utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    (good, bad)
}

fn declared(bytes: &[u8], content_type: Option<&str>) -> Option<(&'static Encoding, &'static str)> {
    let header = content_type
        .and_then(|t| charset_in(t.as_bytes()))
        .map(|e| (e, "the header"));
    header.or_else(|| {
        let head = &bytes[..bytes.len().min(PRESCAN_BYTES)];
        let encoding = in_meta(head)?;
        // A page that can be read byte by byte is no UTF-16, whatever it says (HTML standard).
        let encoding = if encoding == UTF_16BE || encoding == UTF_16LE {
            UTF_8
        } else {
            encoding
        };
        Some((encoding, "the page"))
    })
}

/// The charset named in the first `<meta>` that names one.
fn in_meta(head: &[u8]) -> Option<&'static Encoding> {
    let lower = head.to_ascii_lowercase();
    let mut rest = lower.as_slice();
    while let Some(at) = find(rest, b"<meta") {
        rest = &rest[at + 5..];
        let end = rest.iter().position(|b| *b == b'>').unwrap_or(rest.len());
        if let Some(encoding) = charset_in(&rest[..end]) {
            return Some(encoding);
        }
    }
    None
}

/// The encoding after `charset=`, quoted or not.
fn charset_in(text: &[u8]) -> Option<&'static Encoding> {
    let lower = text.to_ascii_lowercase();
    let after = &lower[find(&lower, b"charset")? + 7..];
    let after = after
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let after = after
        .strip_prefix(b"\"")
        .or(after.strip_prefix(b"'"))
        .unwrap_or(after);
    let end = after
        .iter()
        .position(|b| b.is_ascii_whitespace() || b"\"';/>".contains(b))
        .unwrap_or(after.len());
    Encoding::for_label(&after[..end])
}

/// UTF-16 of mostly Latin text has a zero in every other byte.
fn utf16_without_bom(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(1024)];
    if head.len() < 16 || binary_magic(bytes).is_some() {
        return None;
    }
    let zeros = |odd: usize| {
        head.iter()
            .skip(odd)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    let most = head.len() / 2 * 9 / 10;
    match (even, odd) {
        (0, odd) if odd >= most => Some(UTF_16LE),
        (even, 0) if even >= most => Some(UTF_16BE),
        _ => None,
    }
}

fn binary_kind(bytes: &[u8]) -> Option<&'static str> {
    if let Some(kind) = binary_magic(bytes) {
        return Some(kind);
    }
    let head = &bytes[..bytes.len().min(SNIFF_BYTES)];
    let zeros = head.iter().filter(|b| **b == 0).count();
    let control = head
        .iter()
        .filter(|b| matches!(**b, 1..=8 | 14..=26 | 28..=31 | 127))
        .count();
    // A stray zero byte in a long page is damage; one in a hundred is not text.
    let not_text = zeros * 100 > head.len() || (control * 10 > head.len() && head.len() >= 16);
    not_text.then_some("binary data")
}

/// Known first bytes. Office files are ZIP archives with a telling first entry.
fn binary_magic(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 24] = [
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"GIF87a", "a GIF picture"),
        (b"GIF89a", "a GIF picture"),
        (b"BM\0\0", "a BMP picture"),
        (b"\0\0\x01\0", "an icon"),
        (b"%PDF-", "a PDF document"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"BZh", "a bzip2 archive"),
        (b"\xfd7zXZ\0", "an xz archive"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (b"\x7fELF", "an ELF program"),
        (b"MZ\x90\0", "a Windows program"),
        (b"\xcf\xfa\xed\xfe", "a macOS program"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "an old Office document",
        ),
        (b"{\\rtf", "an RTF document"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"OggS", "an Ogg file"),
        (b"ID3", "an MP3 file"),
        (b"wOFF", "a font"),
        (b"wOF2", "a font"),
        (b"\0asm", "a WebAssembly module"),
    ];
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Some(zip_kind(bytes));
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("a WebP picture");
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some("a video or HEIF picture");
    }
    MAGIC
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
        .map(|(_, kind)| *kind)
}

fn zip_kind(bytes: &[u8]) -> &'static str {
    let head = &bytes[..bytes.len().min(4096)];
    let has = |needle: &[u8]| find(head, needle).is_some();
    if has(b"word/") {
        "a Word document (DOCX)"
    } else if has(b"xl/") {
        "an Excel workbook (XLSX)"
    } else if has(b"opendocument.text") {
        "an OpenDocument text"
    } else {
        "a ZIP archive"
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes, header, text, issues.
    type Case = (
        &'static [u8],
        Option<&'static str>,
        &'static str,
        &'static [&'static str],
    );

    fn text(bytes: &[u8], content_type: Option<&str>) -> (String, Vec<String>) {
        let decoded = decode(bytes, content_type).unwrap();
        (
            decoded.text,
            decoded.issues.into_iter().map(|i| i.code).collect(),
        )
    }

    #[test]
    fn charsets_are_found_in_order() {
        let cases: [Case; 9] = [
            (
                b"\xef\xbb\xbfcaf\xc3\xa9",
                Some("text/html; charset=latin1"),
                "café",
                &[],
            ),
            (b"\xff\xfec\0a\0f\0\xe9\0", None, "café", &[]),
            (b"caf\xc3\xa9", None, "café", &[]),
            (
                b"caf\xe9",
                Some("text/plain; charset=\"ISO-8859-1\""),
                "café",
                &[],
            ),
            (
                b"<meta charset='windows-1252'>caf\xe9 \x80",
                None,
                "<meta charset='windows-1252'>café €",
                &[],
            ),
            (
                b"caf\xc3\xa9",
                Some("text/html; charset=iso-8859-1"),
                "café",
                &["wrong_charset"],
            ),
            (
                b"caf\xe9!",
                Some("text/html; charset=utf-8"),
                "caf\u{fffd}!",
                &["invalid_utf8"],
            ),
            (
                b"caf\xe9 soci\xe9t\xe9 na\xefve",
                None,
                "café société naïve",
                &["charset_guessed"],
            ),
            (
                b"\xc3\xa9\xc3\xa9\xc3\xa9 \xff",
                None,
                "ééé \u{fffd}",
                &["invalid_utf8"],
            ),
        ];
        for (bytes, header, want, issues) in cases {
            assert_eq!(
                text(bytes, header),
                (
                    want.into(),
                    issues.iter().map(|i| (*i).to_owned()).collect()
                ),
                "{want}"
            );
        }
    }

    #[test]
    fn binary_data_is_named() {
        let docx = [
            b"PK\x03\x04\x14\0\x08\0".as_slice(),
            b"....word/document.xml",
        ]
        .concat();
        for (bytes, want) in [
            (b"\x89PNG\r\n\x1a\n\0\0".as_slice(), "a PNG picture"),
            (b"%PDF-1.7\n", "a PDF document"),
            (b"\x1f\x8b\x08", "a gzip archive"),
            (&docx, "a Word document (DOCX)"),
            (b"\x7fELF\x02\x01", "an ELF program"),
            (b"abc\0\0\0def", "binary data"),
        ] {
            match decode(bytes, None) {
                Err(NotReadable::Binary { kind }) => assert_eq!(kind, want),
                other => panic!("{want}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_stray_zero_byte_is_not_binary() {
        let mut page = vec![b'a'; 1000];
        page[500] = 0;
        assert!(decode(&page, None).is_ok());
    }

    #[test]
    fn windows_1252_declared_as_utf8_is_told_from_damage() {
        let page = |body: &[u8]| [b"<meta charset=utf-8>".as_slice(), body].concat();
        for (body, want) in [
            (
                b"caf\xe9 cr\xe8me \x96 \xa32,300".as_slice(),
                Some("caf\u{e9} cr\u{e8}me \u{2013} \u{a3}2,300"),
            ),
            // One damaged place is a slip.
            (b"one caf\xe9 only", None),
            // Good sequences beside damage.
            (b"caf\xc3\xa9, na\xc3\xafve, \xff and \xfe", None),
            // A byte that windows-1252 does not assign.
            (b"caf\xe9 \x81 cr\xe8me", None),
        ] {
            let read = decode(&page(body), None).unwrap();
            let code = read.issues[0].code.as_str();
            match want {
                Some(text) => assert!(
                    read.text.ends_with(text) && code == "wrong_charset",
                    "{}",
                    read.text
                ),
                None => assert_eq!(code, "invalid_utf8", "{}", read.text),
            }
        }
    }
}
