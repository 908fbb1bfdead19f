//! What an OpenAI-compatible server sends, as the text of its answer: server-sent events of `chat.completion.chunk`
//! objects, or one `chat.completion` object from a server that does not stream.
//!
//! The form is that of <https://platform.openai.com/docs/api-reference/chat>, read leniently: members that are not
//! there, or of another type, are passed over.

use super::failed;
use ghostlight_model::Issue;
use serde_json::Value;

/// The longest line, and the longest answer of a server that does not stream, in bytes. At the first that is longer
/// reading stops.
const LINE_BYTES_MAX: usize = 1 << 20;

/// A server's answer, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Bytes that are no whole line yet; all of them where it is one object.
    rest: Vec<u8>,
    /// Bytes of `rest` without a line end.
    looked: usize,
    is_object: Option<bool>,
    begun: bool,
    done: bool,
    reply: Reply,
    /// Lines that are no chunk.
    strange: usize,
    chunks: usize,
}

/// What an answer comes to besides what was handed on before.
#[derive(Debug, Default)]
pub(super) struct Reply {
    /// The text that is still to be read.
    pub text: String,
    /// Why it is no whole answer, where the server itself says so, or it is none of this kind.
    pub trouble: Option<Issue>,
    /// Why the model stopped, in the server's word.
    pub finish: Option<String>,
    pub tokens_in: Option<u32>,
    pub tokens_out: Option<u32>,
}

impl Stream {
    /// Whether anything came.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether the server said that this is all.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The next bytes; the text of the answer in them.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.begun |= !bytes.is_empty();
        self.rest.extend_from_slice(bytes);
        let first = self.rest.iter().find(|b| !b.is_ascii_whitespace());
        let is_object = *self.is_object.get_or_insert(first == Some(&b'{'));
        if first.is_none() {
            self.is_object = None;
        }
        let mut text = String::new();
        if !is_object {
            while let Some(line) = self.line() {
                text.push_str(&self.read_line(&line));
            }
        }
        if self.rest.len() > LINE_BYTES_MAX {
            self.rest.clear();
            (self.looked, self.done) = (0, true);
            self.reply.trouble.get_or_insert_with(strange);
        }
        text
    }

    /// No more comes.
    pub fn end(mut self) -> Reply {
        let rest = std::mem::take(&mut self.rest);
        if self.is_object == Some(true) {
            match serde_json::from_slice::<Value>(&rest) {
                Ok(object) => self.reply.text = self.read_chunk(&object),
                Err(_) => self.strange += 1,
            }
        } else {
            let line = String::from_utf8_lossy(&rest).into_owned();
            self.reply.text = self.read_line(line.trim_end());
        }
        if self.chunks == 0 && self.begun {
            self.reply.trouble.get_or_insert_with(strange);
        }
        self.reply
    }

    /// The next whole line, without its end.
    fn line(&mut self) -> Option<String> {
        let end = self.rest[self.looked..].iter().position(|b| *b == b'\n');
        let Some(end) = end.map(|end| self.looked + end) else {
            self.looked = self.rest.len();
            return None;
        };
        let line: Vec<u8> = self.rest.drain(..=end).collect();
        self.looked = 0;
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    fn read_line(&mut self, line: &str) -> String {
        // Comments and other fields of an event say nothing here.
        let Some(data) = line.strip_prefix("data:").map(str::trim) else {
            let is_field = line.is_empty()
                || [":", "event:", "id:", "retry:"]
                    .iter()
                    .any(|field| line.starts_with(field));
            self.strange += usize::from(!is_field);
            return String::new();
        };
        if data == "[DONE]" {
            self.done = true;
            return String::new();
        }
        match serde_json::from_str::<Value>(data) {
            Ok(chunk) => self.read_chunk(&chunk),
            Err(_) => {
                self.strange += 1;
                String::new()
            }
        }
    }

    fn read_chunk(&mut self, chunk: &Value) -> String {
        if let Some(said) = said(chunk) {
            self.reply.trouble.get_or_insert_with(|| {
                failed(
                    "model_error",
                    format!("The model's server broke off: {said}"),
                    "Try again; if it stays so, look at the server's own log.",
                )
            });
            self.chunks += 1;
            self.done = true;
            return String::new();
        }
        let count = |name: &str| {
            let n = chunk["usage"][name].as_u64()?;
            u32::try_from(n).ok()
        };
        self.reply.tokens_in = count("prompt_tokens").or(self.reply.tokens_in);
        self.reply.tokens_out = count("completion_tokens").or(self.reply.tokens_out);
        let Some(choices) = chunk["choices"].as_array() else {
            return String::new();
        };
        self.chunks += 1;
        let Some(choice) = choices.first() else {
            return String::new();
        };
        if let Some(finish) = choice["finish_reason"].as_str() {
            self.reply.finish = Some(finish.to_owned());
        }
        let message = ["delta", "message"].map(|name| &choice[name]);
        if let Some(said) = message.iter().find_map(|m| m["refusal"].as_str()) {
            let words: String = said.chars().take(200).collect();
            self.reply.trouble.get_or_insert_with(|| {
                failed(
                    "model_refusal",
                    format!("The model refuses to answer: {words}"),
                    "Choose another model in the settings.",
                )
            });
        }
        let text = message.iter().find_map(|m| m["content"].as_str());
        text.unwrap_or_default().to_owned()
    }
}

/// What a server says is wrong, from the JSON that it answers errors with (`{"error": {"message": "…"}}`): a line of at
/// most 300 characters; `None` if it is no such JSON.
pub fn error_words(body: &str) -> Option<String> {
    said(&serde_json::from_str(body).ok()?)
}

fn said(object: &Value) -> Option<String> {
    let error = object.get("error").filter(|error| !error.is_null())?;
    let message = error["message"].as_str().or(error.as_str());
    let said = message.unwrap_or("it does not say why");
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(line.chars().take(300).collect())
}

fn strange() -> Issue {
    failed(
        "model_protocol",
        "What answers there does not speak the protocol of OpenAI's chat completions.".into(),
        "Check the address in the settings; most servers want one that ends in /v1.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKS: &str = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\r\n\r\n\
        : keep-alive\n\n\
        event: message\ndata: {\"choices\":[{\"delta\":{\"content\":\"Grü\"}}]}\n\n\
        data:{\"choices\":[{\"delta\":{\"content\":\"ße\"},\"finish_reason\":\"stop\"}]}\n\n\
        data: {\"choices\":[],\"usage\":{\"prompt_tokens\":812,\"completion_tokens\":40}}\n\n\
        data: [DONE]\n\n";

    fn read(bytes: &[u8], size: usize) -> (String, Reply, bool) {
        let mut stream = Stream::default();
        let mut text = String::new();
        for piece in bytes.chunks(size) {
            text.push_str(&stream.push(piece));
        }
        let done = stream.is_done();
        let reply = stream.end();
        (text + &reply.text, reply, done)
    }

    #[test]
    fn any_split_of_the_stream_gives_the_same_text() {
        for size in [1, 2, 3, 7, 50, 10_000] {
            let (text, reply, done) = read(CHUNKS.as_bytes(), size);
            assert_eq!((text.as_str(), done), ("Grüße", true), "{size}");
            assert_eq!(reply.finish.as_deref(), Some("stop"));
            assert_eq!((reply.tokens_in, reply.tokens_out), (Some(812), Some(40)));
            assert_eq!(reply.trouble, None);
        }
    }

    #[test]
    fn a_server_that_does_not_stream_is_read_as_well() {
        let object = r#" {"choices":[{"message":{"content":"{}"},"finish_reason":"length"}],"usage":{"prompt_tokens":1}}"#;
        let (text, reply, _) = read(object.as_bytes(), 5);
        assert_eq!(text, "{}");
        assert_eq!(reply.finish.as_deref(), Some("length"));
        assert_eq!((reply.tokens_in, reply.tokens_out), (Some(1), None));
    }

    #[test]
    fn trouble_is_said_in_words() {
        let trouble = |bytes: &[u8]| read(bytes, 4).1.trouble.map(|issue| issue.message);
        let broke = b"data: {\"error\":{\"message\":\"out of\\n memory\"}}\n\n";
        assert!(
            trouble(broke)
                .unwrap()
                .ends_with("broke off: out of memory.")
        );
        for strange in [
            &b"<html>hello</html>"[..],
            b"{\"hello\": 1}",
            b"{",
            b"hello\n\xff\n",
        ] {
            let said = trouble(strange).unwrap();
            assert!(said.contains("does not speak"), "{said}");
        }
        let refusal = b"data: {\"choices\":[{\"delta\":{\"refusal\":\"I will not\"}}]}\n";
        assert!(trouble(refusal).unwrap().contains("I will not"));
        assert!(trouble(&vec![b'x'; LINE_BYTES_MAX + 10]).is_some());
        assert_eq!(
            trouble(b""),
            None,
            "an empty answer is told by what it lacks"
        );
    }
}
