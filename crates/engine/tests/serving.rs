//! Other programs connected to the app itself: turned on and off, refused in words, followed and published to by another
//! engine over real sockets, with tokens that change.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/patience.rs"]
mod patience;

use ghostlight_api::{
    ApiError, ErrorCode, ViewData, ViewQuery,
    command::{AddFeed, FeedForm, ServingForm, ServingToken, SetServing},
    view::{FeedRow, LinkState, Range, RunFilter, RunRow, ServingView},
};
use ghostlight_engine::{Engine, Handle, Hooks, Host, Input};
use patience::wait_for;
use std::{
    fs::{self, OpenOptions},
    io::Write,
    net::TcpListener,
    sync::Arc,
};
use tempfile::TempDir;

struct Quiet;

impl Host for Quiet {}

fn open(folder: &TempDir) -> Engine {
    let engine = Engine::open(folder.path(), Arc::new(Quiet), Hooks::default()).unwrap();
    engine.serve_if_wanted().unwrap();
    engine
}

fn serve(engine: &Engine, on: bool, port: u16) -> Result<(), ApiError> {
    let serving = ServingForm { on, port };
    engine.handle(SetServing { serving })
}

fn standing(engine: &Engine) -> ServingView {
    match engine.view(&ViewQuery::Serving) {
        ViewData::Serving(view) => *view,
        other => panic!("{other:?}"),
    }
}

fn port_of(view: &ServingView) -> u16 {
    let url = view.url.as_deref().unwrap();
    let port = url.strip_prefix("ws://127.0.0.1:").unwrap();
    port.strip_suffix("/v1").unwrap().parse().unwrap()
}

fn follow(engine: &Engine, url: &str, token: &str) -> i64 {
    let feed = FeedForm {
        name: "The window".into(),
        url: url.to_owned(),
        token: Some(token.to_owned()),
        publish: true,
        ..FeedForm::default()
    };
    engine.handle(AddFeed { feed }).unwrap()
}

fn feed(engine: &Engine, id: i64) -> FeedRow {
    let ViewData::Feeds(feeds) = engine.view(&ViewQuery::Feeds) else {
        panic!("no feeds")
    };
    feeds.into_iter().find(|feed| feed.id == id).unwrap()
}

fn is(engine: &Engine, id: i64, state: LinkState) {
    let is = || (feed(engine, id).link.state == state).then_some(());
    wait_for(&format!("{state:?}"), is);
}

fn runs(engine: &Engine) -> Vec<RunRow> {
    let query = ViewQuery::Runs {
        filter: RunFilter::default(),
        range: Range { start: 0, len: 50 },
    };
    match engine.view(&query) {
        ViewData::Runs(page) => page.rows,
        other => panic!("{other:?}"),
    }
}

fn analyse(engine: &Engine, title: &str) {
    let text = format!("{title}\nOriel Bread, Cologne\nSalary: €42,000 per year.");
    let bytes = text.into_bytes();
    let name = title.to_owned();
    let input = Input::Text { name, bytes };
    engine.analyze(input, &mut |_| {}).unwrap();
}

#[test]
fn another_program_follows_what_runs_here_and_publishes_its_own() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (app, other) = (open(&here), open(&there));
    assert_eq!(standing(&app).url, None);
    let none = app.handle(ServingToken {}).unwrap_err();
    assert_eq!(none.code, ErrorCode::Declined);
    serve(&app, true, 0).unwrap();
    let view = standing(&app);
    assert!(view.on && view.trouble.is_none(), "{view:?}");
    let token = app.handle(ServingToken {}).unwrap();
    analyse(&other, "Baker of the other program");
    let id = follow(&other, view.url.as_deref().unwrap(), &token);
    is(&other, id, LinkState::Connected);
    analyse(&app, "Night Baker");
    let ours = |rows: Vec<RunRow>| rows.into_iter().find(|run| run.source == "The window");
    wait_for("our run there", || ours(runs(&other)));
    // What it publishes is a run here as well.
    wait_for("its run here", || {
        runs(&app).into_iter().find(|run| run.origin == "hub")
    });
    let counted = || (standing(&app).connections > 0).then_some(());
    wait_for("the connection counted", counted);
    // Off is told to whoever is connected, and on again at the same port is found by itself.
    let port = port_of(&view);
    serve(&app, false, port).unwrap();
    let off = standing(&app);
    assert!(!off.on && off.url.is_none(), "{off:?}");
    wait_for("the end noticed", || {
        (feed(&other, id).link.state != LinkState::Connected).then_some(())
    });
    serve(&app, true, port).unwrap();
    is(&other, id, LinkState::Connected);
    wait_for("the connection counted again", counted);
}

#[test]
fn it_is_on_again_at_the_next_start_and_says_when_it_cannot_be() {
    let here = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let app = open(&here);
    let refused = serve(&app, true, port).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Declined);
    assert!(
        refused.message.contains(&port.to_string()) && refused.message.contains("in use"),
        "{refused:?}"
    );
    // Nothing was changed.
    let view = standing(&app);
    assert!(!view.on && view.trouble.is_none(), "{view:?}");
    serve(&app, true, 0).unwrap();
    let listening = standing(&app);
    let kept = serve(&app, true, port).unwrap_err();
    assert!(kept.message.contains("in use"), "{kept:?}");
    assert_eq!(standing(&app).url, listening.url, "what listened goes on");
    // The one it took by itself is kept for good when it is asked for.
    let own = port_of(&listening);
    serve(&app, true, own).unwrap();
    let view = standing(&app);
    assert_eq!((view.port, &view.url), (own, &listening.url));
    drop(taken);
    serve(&app, true, port).unwrap();
    assert_eq!(port_of(&standing(&app)), port);
    drop(app);

    let taken = wait_for("the port to be free", || {
        TcpListener::bind(("127.0.0.1", port)).ok()
    });
    let app = open(&here);
    let view = standing(&app);
    assert!(view.on && view.url.is_none(), "{view:?}");
    assert!(
        view.trouble.unwrap().message.contains("in use"),
        "said at the start"
    );
    drop(taken);
    serve(&app, true, port).unwrap();
    let view = standing(&app);
    assert!(view.url.is_some() && view.trouble.is_none(), "{view:?}");
}

#[test]
fn tokens_change_without_a_restart() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (app, other) = (open(&here), open(&there));
    serve(&app, true, 0).unwrap();
    let view = standing(&app);
    let file = view.tokens.unwrap();
    let first = app.handle(ServingToken {}).unwrap();
    let second = "token-of-the-other-program";
    let mut tokens = OpenOptions::new().append(true).open(&file).unwrap();
    writeln!(tokens, "\n{second}").unwrap();
    drop(tokens);
    wait_for("the token taken", || standing(&app).told);
    let id = follow(&other, view.url.as_deref().unwrap(), second);
    is(&other, id, LinkState::Connected);
    // A mistake in the file is said and changes nothing.
    fs::write(&file, format!("{first}\n{second}\nshort\n")).unwrap();
    let trouble = wait_for("the mistake said", || standing(&app).trouble);
    assert!(trouble.message.contains("line 3"), "{trouble:?}");
    is(&other, id, LinkState::Connected);
    // Withdrawn: who used it is cut and asked.
    fs::write(&file, format!("{first}\n")).unwrap();
    is(&other, id, LinkState::Refused);
    assert_eq!(standing(&app).trouble, None);
}
