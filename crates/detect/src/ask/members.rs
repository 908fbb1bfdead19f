//! The members of one JSON object, each as soon as it is whole, from a text that arrives in pieces.
//!
//! What stands before the object is passed over: a code fence, a sentence, or what some models think aloud
//! (`<think>…</think>`). What stands behind it, too.

use serde_json::{Map, Value};

const THINKS: &str = "<think>";
const THOUGHT: &str = "</think>";

/// An object, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Members {
    text: String,
    /// Bytes that were looked at.
    at: usize,
    /// Where the member under way begins; `None` before the object does.
    start: Option<usize>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    whole: bool,
    broken: usize,
}

impl Members {
    /// Adds to the text; the members that are whole with it.
    pub fn push(&mut self, piece: &str) -> Vec<(String, Value)> {
        self.text.push_str(piece);
        if self.start.is_none() && !self.begin() {
            return Vec::new();
        }
        let mut found = Vec::new();
        while self.at < self.text.len() && !self.whole {
            let byte = self.text.as_bytes()[self.at];
            self.at += 1;
            self.look(byte, &mut found);
        }
        found
    }

    /// Whether the object has ended.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Bytes of the text.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// All that came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Members that are no JSON.
    pub fn broken(&self) -> usize {
        self.broken
    }

    /// Finds the beginning of the object.
    fn begin(&mut self) -> bool {
        let mut from = 0;
        if self.text.trim_start().starts_with(THINKS) {
            match self.text.find(THOUGHT) {
                Some(end) => from = end + THOUGHT.len(),
                None => return false,
            }
        }
        let Some(brace) = self.text[from..].find('{') else {
            return false;
        };
        self.at = from + brace + 1;
        self.start = Some(self.at);
        self.depth = 1;
        true
    }

    fn look(&mut self, byte: u8, found: &mut Vec<(String, Value)>) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    self.whole = true;
                    self.end_member(found);
                }
            }
            b',' if self.depth == 1 => self.end_member(found),
            _ => {}
        }
    }

    /// The member ends before the byte that was looked at last.
    fn end_member(&mut self, found: &mut Vec<(String, Value)>) {
        let start = self.start.replace(self.at).unwrap_or(self.at);
        // Both stand beside ASCII, so they are ends of characters.
        let member = self.text.get(start..self.at - 1).unwrap_or_default();
        if member.trim().is_empty() {
            return;
        }
        // One member or none: serde_json itself refuses what nests too deep.
        match serde_json::from_str::<Map<String, Value>>(&format!("{{{member}}}")) {
            Ok(members) => found.extend(members),
            Err(_) => self.broken += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(pieces: &[&str]) -> (Vec<(String, Value)>, bool, usize) {
        let mut members = Members::default();
        let found = pieces
            .iter()
            .flat_map(|piece| members.push(piece))
            .collect();
        (found, members.is_whole(), members.broken())
    }

    #[test]
    fn each_member_is_there_as_soon_as_it_is_whole() {
        let mut members = Members::default();
        assert_eq!(members.push("{\"a\": {\"x\": [1, 2"), []);
        assert_eq!(members.push("]}"), [], "it could go on");
        assert_eq!(members.push(", "), [("a".into(), json!({"x": [1, 2]}))]);
        assert_eq!(members.push("\"b\": \"},\\\"{\""), []);
        assert_eq!(members.push("} …"), [("b".into(), json!("},\"{"))]);
        assert!(members.is_whole());
    }

    #[test]
    fn fences_thoughts_and_sentences_are_passed_over() {
        for text in [
            "```json\n{\"a\": 1}\n```",
            "Here it is: {\"a\": 1} I hope it helps {\"b\": 2}",
            "<think>{\"c\": 3} hm</think>\n{\"a\": 1}",
        ] {
            let pieces: Vec<String> = text.chars().map(String::from).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            assert_eq!(read(&pieces), (vec![("a".into(), json!(1))], true, 0));
            assert_eq!(read(&[text]), (vec![("a".into(), json!(1))], true, 0));
        }
    }

    #[test]
    fn what_is_no_json_is_counted_and_the_rest_stands() {
        let (found, whole, broken) = read(&["{\"a\": nope, \"b\": 2, c: 3,}"]);
        assert_eq!(found, [("b".into(), json!(2))]);
        assert!(whole);
        assert_eq!(broken, 2);
        let deep = format!(
            "{{\"a\": {}1{}, \"b\": 2}}",
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        assert_eq!(read(&[&deep]), (vec![("b".into(), json!(2))], true, 1));
        assert_eq!(read(&["no object"]), (vec![], false, 0));
        assert_eq!(read(&["{\"a\": \"cut"]), (vec![], false, 0));
        assert!(read(&["{]}"]).1);
    }
}
