//! Cards: what the pipeline makes of a truth case's text or file, without store and model.

use ghostlight_detect::{Document, RawInput, judge, open};
use ghostlight_model::{CaptureId, Method, Micros, Observation, fuse::winners};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
    rc::Rc,
    time::Instant,
};

/// A card: the winner of each field.
pub(crate) type Card = BTreeMap<String, Winner>;

/// What stands in a field.
#[derive(Debug, Clone)]
pub(crate) struct Winner {
    /// As the command line prints it.
    pub value: Value,
    /// 0 to 1.
    pub confidence: f64,
    /// By which method.
    pub method: Method,
}

/// Reads cases, remembering files that several cases share.
pub(crate) struct Cards {
    root: PathBuf,
    known: HashMap<String, Rc<Vec<Option<Card>>>>,
    cpu_ms: Vec<f64>,
}

impl Cards {
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            known: HashMap::new(),
            cpu_ms: Vec::new(),
        }
    }

    /// The cards of a case's input, by position; `None` where a document is no posting.
    pub fn of(&mut self, case: &Value) -> io::Result<Rc<Vec<Option<Card>>>> {
        if let Some(text) = case["text"].as_str() {
            return Ok(Rc::new(self.read(text.as_bytes(), "standard input")));
        }
        let file = case["file"].as_str().unwrap_or_default();
        if let Some(known) = self.known.get(file) {
            return Ok(Rc::clone(known));
        }
        let bytes = fs::read(self.root.join(file))?;
        let name = file.rsplit('/').next().unwrap_or(file);
        let cards = Rc::new(self.read(&bytes, name));
        self.known.insert(file.to_owned(), Rc::clone(&cards));
        Ok(cards)
    }

    fn read(&mut self, bytes: &[u8], name: &str) -> Vec<Option<Card>> {
        let began = Instant::now();
        let input = RawInput {
            bytes,
            name: Some(name),
            url: None,
            content_type: None,
        };
        let documents = open(&input).unwrap_or_default();
        let cards: Vec<_> = documents.iter().map(card).collect();
        let each = began.elapsed().as_secs_f64() * 1e3 / cards.len().max(1) as f64;
        self.cpu_ms.push(each);
        cards
    }

    /// CPU per page. One thread does all the work, so its wall time is its CPU time.
    pub fn print_cpu(&mut self) {
        self.cpu_ms.sort_by(f64::total_cmp);
        for (name, share, goal) in [
            ("page_cpu_ms_p50", 0.5, 5.0),
            ("page_cpu_ms_p99", 0.99, 50.0),
        ] {
            let at = (self.cpu_ms.len() as f64 * share) as usize;
            let value = self
                .cpu_ms
                .get(at.min(self.cpu_ms.len().saturating_sub(1)))
                .copied();
            let value = value.unwrap_or_default();
            println!(
                "{}",
                json!({ "name": name, "value": (value * 1e3).round() / 1e3, "unit": "ms",
                    "n": self.cpu_ms.len(), "goal": goal, "ok": value <= goal })
            );
        }
    }
}

fn card(document: &Document) -> Option<Card> {
    judge::judge(document, &[]).ok()?;
    let (capture, ts) = (CaptureId([0; 16]), Micros(0));
    let mut seen: Vec<Observation> = Vec::new();
    document.extract(capture, ts, &mut |observation| seen.push(observation));
    let known = seen.clone();
    document.detect(capture, ts, &known, &mut |observation| {
        seen.push(observation)
    });
    let card = winners(&seen).into_iter().map(|(field, won)| {
        let winner = Winner {
            value: won.observation.value.to_json(),
            confidence: won.observation.confidence.share(),
            method: won.observation.method,
        };
        (field.name().to_owned(), winner)
    });
    Some(card.collect())
}
