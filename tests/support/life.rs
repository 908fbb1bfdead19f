//! A posting with a life, for the tests of its biography: a page that changes, comes again and goes, and a clock that a
//! test sets, so that weeks pass between two looks.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "shared by several test programs, each of which uses a part of it"
)]

use super::server::{Reply, Server};
use ghostlight_engine::{Engine, Handle, Hooks, Host, Input};
use ghostlight_model::{FieldKey, Micros, PostingId, RunId};
use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

/// 2026-01-05 09:00 UTC, in microseconds.
const BEGIN: i64 = 1_767_603_600_000_000;
/// A day in microseconds.
pub const DAY_US: i64 = 86_400_000_000;

/// What the page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// The first text.
    First,
    /// A paragraph and the pay differ.
    Changed,
    /// The same as before, posted on a later day.
    Moved,
    /// Nothing: HTTP 410.
    Gone,
}

/// The page.
pub fn page(says: Says) -> String {
    let (pay, day, more) = match says {
        Says::First => (
            "EUR 41,000 to EUR 46,000",
            "2026-01-02",
            "You share a van with one colleague.",
        ),
        _ => (
            "EUR 43,000 to EUR 48,000",
            "2026-01-02",
            "You have a van of your own, and a parking space at the depot.",
        ),
    };
    let day = if says == Says::Moved {
        "2026-03-30"
    } else {
        day
    };
    format!(
        r#"<!DOCTYPE html><html lang="en"><head><title>Lamp Keeper | Corbelight Works</title>
<script type="application/ld+json">{{"@context":"https://schema.org/","@type":"JobPosting","title":"Lamp Keeper",
"datePosted":"{day}","hiringOrganization":{{"@type":"Organization","name":"Corbelight Works"}},
"jobLocation":{{"@type":"Place","address":{{"@type":"PostalAddress","addressLocality":"Graz","addressCountry":"AT"}}}}}}</script>
</head><body><h1>Lamp Keeper</h1><p>Corbelight Works, Graz</p><p>Salary: {pay} per year.</p>
<p>You keep four hundred street lamps of the old town burning, from the castle hill down to the river, and write down
what you find: which glass is cracked, which mantle is worn, which post leans, and which neighbour complains about the
light in the bedroom. You clean, you mend, you replace, and twice a year you walk all of the tunnels below the hill.</p>
<p>{more}</p><p>What you bring: a head for heights, a driving licence, patience with pigeons, and clear handwriting.
What we offer: a permanent contract, thirty days of leave, and a pension. Apply to Ida Corbel, ida@corbelight.example.</p>
</body></html>"#
    )
}

struct Clock(AtomicI64);

impl Host for Clock {
    fn now(&self) -> Micros {
        // Never the same twice.
        Micros(self.0.fetch_add(1_000, Ordering::SeqCst))
    }
}

/// An engine on a data folder, a server, and a clock.
pub struct World {
    /// The engine.
    pub engine: Engine,
    /// The page at `/jobs/7`; another with the same text is at `/jobs/8`.
    pub server: Server,
    clock: Arc<Clock>,
    says: Arc<Mutex<Says>>,
}

impl World {
    /// On a new data folder, in the morning of 5 January 2026.
    pub fn new(folder: &Path) -> Self {
        let clock = Arc::new(Clock(AtomicI64::new(BEGIN)));
        let says = Arc::new(Mutex::new(Says::First));
        let page_says = says.clone();
        let server = Server::start(move |path| {
            let says = *page_says.lock().unwrap();
            match (path, says) {
                ("/jobs/7", Says::Gone) => Reply::status("410 Gone"),
                ("/jobs/8", _) => Reply::page(page(Says::Changed)),
                _ => Reply::page(page(says)),
            }
        });
        let engine = Engine::open(folder, clock.clone(), Hooks::default()).unwrap();
        Self {
            engine,
            server,
            clock,
            says,
        }
    }

    /// So many days later the page says this, and somebody looks.
    pub fn look(&self, days: i64, says: Says) -> (RunId, PostingId) {
        *self.says.lock().unwrap() = says;
        self.look_at(days, "/jobs/7")
    }

    /// So many days later somebody looks at that page.
    pub fn look_at(&self, days: i64, path: &str) -> (RunId, PostingId) {
        self.pass(days);
        let input = Input::Url(self.server.url(path));
        let runs = self.engine.analyze(input, &mut |_| {}).unwrap();
        let run = self.engine.hub().store().run(&runs[0]).unwrap().unwrap();
        (runs[0].clone(), run.posting.unwrap())
    }

    /// Days pass.
    pub fn pass(&self, days: i64) {
        self.clock.0.fetch_add(days * DAY_US, Ordering::SeqCst);
    }

    /// A person says that the posting is closed.
    pub fn closed(&self, posting: PostingId) {
        let verdict = ghostlight_api::command::SetVerdict {
            posting,
            verdict: "closed".into(),
            note: "gone from their board".into(),
            key: "verdict-1".into(),
        };
        self.engine.handle(verdict).unwrap();
    }

    /// A person corrects the title.
    pub fn edit(&self, posting: PostingId, title: &str) {
        let edit = ghostlight_api::command::EditField {
            posting,
            field: FieldKey::Title,
            input: ghostlight_api::command::FieldInput::Text(title.into()),
            message: "as their advert in the paper".into(),
            override_warnings: true,
            key: format!("edit-{title}"),
        };
        self.engine.handle(edit).unwrap();
    }
}

/// A posting captured four times over three months, edited, published again under another id, and closed.
pub fn lived(world: &World) -> PostingId {
    let (_, posting) = world.look(0, Says::First);
    world.look(3, Says::First);
    world.edit(posting, "Lamp Keeper, old town");
    world.look(8, Says::Changed);
    world.look_at(20, "/jobs/8");
    world.look(36, Says::Moved);
    world.look(9, Says::Gone);
    world.closed(posting);
    posting
}
