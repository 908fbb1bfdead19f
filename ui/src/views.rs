//! The views hub: the one place where rows come in (DESIGN *How data flows* 4).
//!
//! Components subscribe to a [`ViewQuery`], by [`use_view`] or by [`Subscription`]. The hub
//! registers the whole set, at most once a frame; on a ping it pulls what is dirty, at most once a
//! frame. What it knows stands in [`ViewTable`].

use crate::{
    backend, dom, meter,
    state::views::{Call, ViewState, ViewTable},
};
use ghostlight_api::{
    ApiError, ViewId, ViewQuery,
    command::{PullViews, RegisterViews},
    view::{PING_EVENT, Ping},
};
use std::{cell::RefCell, collections::BTreeMap};
use wasm_bindgen_futures::spawn_local;
use yew::{Callback, hook, use_effect_with, use_state};

/// A frame at 60 Hz, in milliseconds.
const FRAME_MS: f64 = 16.0;

/// How long a round waits for a frame in a window that is seen, in milliseconds: longer than any frame that still comes.
const NO_FRAME_MS: i32 = 250;

#[derive(Default)]
struct Hub {
    table: ViewTable,
    listeners: BTreeMap<u64, (ViewId, Callback<ViewState>)>,
    last_listener: u64,
    /// Whether pings can be heard; nothing is registered before.
    listening: bool,
    /// Whether a round of calls is under way or about to be.
    busy: bool,
    last_round_ms: f64,
}

thread_local! {
    static HUB: RefCell<Hub> = RefCell::default();
}

/// Begins to listen for pings. Called once, at the start.
pub fn start() {
    spawn_local(async {
        let heard = backend::listen(PING_EVENT, |ping: Ping| {
            HUB.with_borrow_mut(|hub| hub.table.pinged(&ping));
            schedule();
        });
        // Without pings the views still load once, and say so if they cannot.
        let _ = heard.await;
        HUB.with_borrow_mut(|hub| hub.listening = true);
        schedule();
    });
}

/// A component's interest in a view; ends when dropped.
pub struct Subscription {
    id: ViewId,
    listener: u64,
}

impl Subscription {
    /// Subscribes; `on_change` is called with each new state, not with the present one.
    pub fn new(query: &ViewQuery, on_change: Callback<ViewState>) -> Self {
        let subscription = HUB.with_borrow_mut(|hub| {
            let id = hub.table.subscribe(query);
            hub.last_listener += 1;
            let listener = hub.last_listener;
            hub.listeners.insert(listener, (id, on_change));
            Self { id, listener }
        });
        schedule();
        subscription
    }

    /// What the view has to show now.
    pub fn state(&self) -> ViewState {
        HUB.with_borrow(|hub| hub.table.state(self.id))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        HUB.with_borrow_mut(|hub| {
            hub.listeners.remove(&self.listener);
            hub.table.unsubscribe(self.id);
        });
        schedule();
    }
}

/// Asks for a view again after it failed.
pub fn retry(query: &ViewQuery) {
    HUB.with_borrow_mut(|hub| hub.table.retry(query));
    schedule();
}

/// The state of a view, kept up to date; `None` shows nothing and asks for nothing.
#[hook]
pub fn use_view(query: Option<ViewQuery>) -> ViewState {
    let held = use_state(|| (query.clone(), peek(query.as_ref())));
    let setter = held.setter();
    use_effect_with(query.clone(), move |query| {
        let subscription = query.as_ref().map(|query| {
            let (setter, owned) = (setter.clone(), query.clone());
            let on_change = Callback::from(move |state| setter.set((Some(owned.clone()), state)));
            Subscription::new(query, on_change)
        });
        let now = subscription.as_ref().map(Subscription::state);
        setter.set((query.clone(), now.unwrap_or_default()));
        move || drop(subscription)
    });
    if held.0 == query {
        held.1.clone()
    } else {
        peek(query.as_ref())
    }
}

fn peek(query: Option<&ViewQuery>) -> ViewState {
    query.map_or(ViewState::Loading, |query| {
        HUB.with_borrow(|hub| hub.table.peek(query))
    })
}

/// Sees to it that a round of calls is made: at once if the last was a frame ago, else before the
/// next frame. A hidden window gets no frames, so it makes no calls and piles up nothing. A window that is seen and gets
/// none (a compositor may stall) has its rows all the same, a little later.
fn schedule() {
    let wait = HUB.with_borrow_mut(|hub| {
        let idle = hub.listening && !hub.busy;
        hub.busy |= idle;
        idle.then(|| dom::monotonic_ms() - hub.last_round_ms < FRAME_MS)
    });
    match wait {
        None => {}
        Some(false) if !dom::document().hidden() => spawn_local(round()),
        Some(_) => dom::next_frame_within(NO_FRAME_MS, || spawn_local(round())),
    }
}

/// At most one registration and one pull.
async fn round() {
    HUB.with_borrow_mut(|hub| hub.last_round_ms = dom::monotonic_ms());
    let mut more = true;
    for _ in 0..2 {
        let Some(call) = HUB.with_borrow_mut(|hub| hub.table.next_call()) else {
            more = false;
            break;
        };
        let pulled = matches!(call, Call::Pull(_));
        let came = make(call.clone()).await;
        meter::round(|| settle(&call, came.and_then(Came::read))).await;
        if pulled {
            break;
        }
    }
    HUB.with_borrow_mut(|hub| hub.busy = false);
    if more {
        schedule();
    }
}

type Rows = Vec<(ViewId, ghostlight_api::ViewData)>;

/// What came back, not read yet: to read it is work of the round.
enum Came {
    Registered,
    Rows(backend::Unread<PullViews>),
}

impl Came {
    fn read(self) -> Result<Rows, ApiError> {
        match self {
            Came::Registered => Ok(Vec::new()),
            Came::Rows(reply) => reply.read(),
        }
    }
}

async fn make(call: Call) -> Result<Came, ApiError> {
    match call {
        Call::Register(views) => {
            backend::call(RegisterViews { views }).await?;
            Ok(Came::Registered)
        }
        Call::Pull(ids) => backend::ask(PullViews { ids }).await.map(Came::Rows),
    }
}

/// Takes in what came back and tells who waits for it.
fn settle(call: &Call, result: Result<Rows, ApiError>) {
    let told: Vec<(Callback<ViewState>, ViewState)> = HUB.with_borrow_mut(|hub| {
        let changed = match result {
            Ok(rows) => hub.table.pulled(rows),
            Err(error) => hub.table.failed(call, &error),
        };
        let listeners = hub.listeners.values();
        let concerned = listeners.filter(|(id, _)| changed.contains(id));
        concerned
            .map(|(id, callback)| (callback.clone(), hub.table.state(*id)))
            .collect()
    });
    for (callback, state) in told {
        callback.emit(state);
    }
}
