//! A list of any length, drawn only where it is seen: postings, runs, events, commits.
//!
//! It pulls the range around what is seen (a view of its own), keeps the old rows on screen until the new
//! ones are there (however far it is scrolled, no row is blank), and moves a current row by the keyboard
//! (`aria-activedescendant`, so that the focus survives rows that leave the screen). Arithmetic stands in
//! [`crate::state::rows`].

use crate::{
    components::bits,
    dom::{self, SizeObserver},
    icons::Icon,
    state::{
        rows::{Geometry, Slots, Window, covers, fetch_range, newest_range},
        views::ViewState,
    },
    views::{self, Subscription},
};
use ghostlight_api::{
    ViewData, ViewQuery,
    view::{
        EventFilter, LifeEvent, LogRow, PostingOrder, Range, RunFilter, Subject, TimelineFilter,
    },
};
use ghostlight_model::PostingId;
use std::rc::Rc;
use web_sys::HtmlElement;
use yew::{
    AttrValue, Callback, Component, Context, Event, Html, KeyboardEvent, NodeRef, Properties,
    classes, html,
};

/// How long the rows of another place stay on screen while those of this one are on their way, in ms; then it is shown
/// that they are missing. Long beside a pull (some frames; most of a second where the machine has other things to do),
/// short beside patience.
const HOLD_MS: i32 = 2_000;

/// Where the rows come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The postings.
    Postings(PostingOrder),
    /// The runs.
    Runs(RunFilter),
    /// The events of a subject's latest run.
    Events(Subject, EventFilter),
    /// The versions of a posting.
    Timeline(PostingId, TimelineFilter),
    /// The life of a posting.
    Biography(PostingId),
    /// What waits for a feed's hub.
    Outbox(i64),
}

impl Source {
    fn query(&self, range: Range) -> ViewQuery {
        match self.clone() {
            Source::Postings(order) => ViewQuery::Postings { order, range },
            Source::Runs(filter) => ViewQuery::Runs { filter, range },
            Source::Events(subject, filter) => ViewQuery::Events {
                subject,
                filter,
                range,
            },
            Source::Timeline(posting, filter) => ViewQuery::Timeline {
                posting,
                filter,
                range,
            },
            Source::Biography(posting) => ViewQuery::Biography { posting, range },
            Source::Outbox(feed) => ViewQuery::Outbox { feed, range },
        }
    }
}

/// What the list is to assistive technology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of several is chosen.
    Listbox,
    /// Rows of cells, one row is current.
    Grid,
    /// Lines to read, newest last; follows the newest until scrolled up.
    Log,
    /// Lines to read.
    Lines,
}

impl Kind {
    /// Whether a row is current, moved by the keyboard and chosen by Enter or a click.
    fn picks(self) -> bool {
        !matches!(self, Kind::Lines)
    }
}

/// A row to draw or to act upon.
#[derive(Debug, Clone, PartialEq)]
pub struct RowAt {
    /// The page that holds it.
    pub data: Rc<ViewData>,
    /// Its place in the page.
    pub at: usize,
}

/// Properties of [`VirtualList`].
#[derive(Properties, PartialEq, Clone)]
pub struct Props {
    /// The element's id.
    pub id: AttrValue,
    /// Where the rows come from.
    pub source: Source,
    /// What it is to assistive technology.
    pub kind: Kind,
    /// Its accessible name.
    pub label: AttrValue,
    /// Of a log: how many of the newest rows are held while they are followed.
    #[prop_or_default]
    pub tail: u32,
    /// Height of a row in CSS pixels.
    pub row_px: u32,
    /// Draws a row.
    pub render: Callback<RowAt, Html>,
    /// A row was chosen by click, Enter, or (in a listbox) by moving to it.
    #[prop_or_default]
    pub on_choose: Callback<RowAt>,
    /// Enter was pressed on a row of a listbox, after it was chosen.
    #[prop_or_default]
    pub on_enter: Callback<()>,
    /// The key of the chosen row (see [`key_of`]).
    #[prop_or_default]
    pub chosen: Option<AttrValue>,
    /// Moves the current row when its first number changes.
    #[prop_or_default]
    pub nudge: (u32, i32),
    /// A header that stays on top, and its height in CSS pixels.
    #[prop_or_default]
    pub header: Option<(Html, u32)>,
    /// Shown instead of rows when there are none.
    #[prop_or_default]
    pub empty: Html,
    /// Told how many rows there are.
    #[prop_or_default]
    pub on_total: Callback<u32>,
    /// Told each page that comes.
    #[prop_or_default]
    pub on_page: Callback<Rc<ViewData>>,
}

/// What happens to the list.
#[derive(Debug)]
pub enum Msg {
    /// Rows of that source came, or an error.
    Came(u32, ViewState),
    /// The list was scrolled.
    Scrolled,
    /// It has another size.
    Resized,
    /// A key was pressed.
    Key(KeyboardEvent),
    /// A row was clicked.
    Click(u32),
    /// Back to the newest.
    Follow,
    /// Rows have been awaited for a while.
    Waited,
}

/// See the module.
pub struct VirtualList {
    scroller: NodeRef,
    observer: Option<SizeObserver>,
    subscription: Option<Subscription>,
    /// Counts the sources that there were, so that rows of an earlier one that are still on their way are known as such.
    source_no: u32,
    range: Range,
    page: Option<Rc<ViewData>>,
    failed: Option<ghostlight_api::ApiError>,
    geometry: Geometry,
    scroll_px: f64,
    drawn: Window,
    slots: Slots,
    current: u32,
    following: bool,
    /// Height of the content as it is drawn while the newest are followed (see [`Geometry::standing_px`]).
    standing_px: f64,
    /// A row to choose as soon as it is here.
    awaited: Option<u32>,
    /// Where to scroll once the content has been drawn.
    scroll_to: Option<f64>,
    /// Where it was scrolled to when rows were asked for last, and where it was when all that was seen was here.
    asked_px: f64,
    stood_px: f64,
    /// Since when what is seen is not here; begins anew with each page that comes.
    waits_since: Option<f64>,
    /// Where the list itself scrolled last: its event comes later, and is no wish of the person.
    scrolled_to: f64,
}

impl Component for VirtualList {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<Self>) -> Self {
        let geometry = Geometry {
            row_px: f64::from(ctx.props().row_px.max(1)),
            viewport_px: 600.0,
            total: 0,
        };
        let drawn = geometry.window(0.0);
        let mut list = Self {
            scroller: NodeRef::default(),
            observer: None,
            subscription: None,
            source_no: 0,
            range: fetch_range(drawn),
            page: None,
            failed: None,
            geometry,
            scroll_px: 0.0,
            drawn,
            slots: Slots::default(),
            current: 0,
            following: ctx.props().kind == Kind::Log,
            standing_px: 0.0,
            awaited: None,
            scroll_to: None,
            asked_px: 0.0,
            stood_px: 0.0,
            waits_since: None,
            scrolled_to: 0.0,
        };
        list.range = list.first_range(ctx);
        list.subscribe(ctx);
        list
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Came(source_no, _) if source_no != self.source_no => false,
            Msg::Came(_, state) => self.came(ctx, state),
            Msg::Scrolled => self.scrolled(ctx),
            Msg::Resized => self.resized(ctx),
            Msg::Key(event) => self.key(ctx, &event),
            Msg::Click(index) => self.choose(ctx, index),
            Msg::Follow => {
                self.follow();
                self.redraw_window(ctx);
                true
            }
            Msg::Waited => self.redraw_window(ctx),
        }
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &Props) -> bool {
        let new = ctx.props();
        if new.source != old.source {
            self.source_no += 1;
            self.page = None;
            self.failed = None;
            self.current = 0;
            self.awaited = None;
            self.waits_since = None;
            self.geometry.total = 0;
            self.following = new.kind == Kind::Log;
            self.standing_px = 0.0;
            self.scroll_px = 0.0;
            self.scroll_to = Some(0.0);
            self.drawn = self.geometry.window(0.0);
            self.range = self.first_range(ctx);
            self.subscribe(ctx);
        } else if new.chosen != old.chosen {
            self.find_chosen(ctx);
        }
        if new.tail != old.tail {
            self.redraw_window(ctx);
        }
        if new.nudge.0 != old.nudge.0 {
            // With nothing chosen yet, the next one is the first.
            let by = if new.chosen.is_some() { new.nudge.1 } else { 0 };
            let to = i64::from(self.current) + i64::from(by);
            self.move_to(ctx, to, true);
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        if let Some(error) = &self.failed {
            let query = props.source.query(self.range);
            let retry = Callback::from(move |()| views::retry(&query));
            return bits::trouble(error, retry);
        }
        if self.page.is_some() && self.geometry.total == 0 {
            return self.view_empty(props);
        }
        html! {
            <div class="gl-list">
                { self.view_scroller(ctx) }
                if props.kind == Kind::Log && !self.following {
                    <button type="button" class="pf-v6-c-button pf-m-secondary pf-m-small gl-list__newest" onclick={ctx.link().callback(|_| Msg::Follow)}>
                        { Icon::Down.draw() }{ "Jump to newest" }
                    </button>
                }
            </div>
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, _first: bool) {
        let Some(element) = self.scroller.cast::<HtmlElement>() else {
            self.observer = None;
            return;
        };
        if self.observer.is_none() {
            let link = ctx.link().clone();
            let changed = move || link.send_message(Msg::Resized);
            self.observer = Some(SizeObserver::new(&element, changed));
            ctx.link().send_message(Msg::Resized);
        }
        if let Some(top) = self.scroll_to.take() {
            element.set_scroll_top(top.round() as i32);
            self.scrolled_to = f64::from(element.scroll_top());
        }
    }
}

impl VirtualList {
    fn first_range(&self, ctx: &Context<Self>) -> Range {
        match self.following {
            true => newest_range(&self.geometry, ctx.props().tail),
            false => fetch_range(self.drawn),
        }
    }

    fn subscribe(&mut self, ctx: &Context<Self>) {
        let query = ctx.props().source.query(self.range);
        let source_no = self.source_no;
        let came = ctx
            .link()
            .callback(move |state| Msg::Came(source_no, state));
        let subscription = Subscription::new(&query, came);
        let state = subscription.state();
        if let ViewState::Ready(_) = state {
            // Rows that somebody else shows already: nobody tells of them unless they change.
            ctx.link().send_message(Msg::Came(source_no, state));
        }
        // The old one goes only now, so that a shared view is not dropped in between.
        self.subscription = Some(subscription);
    }

    fn came(&mut self, ctx: &Context<Self>, state: ViewState) -> bool {
        match state {
            ViewState::Loading => return false,
            ViewState::Failed(error) => {
                // Rows that are here stay; only an empty list turns into an error.
                self.failed = self.page.is_none().then_some(error);
                return self.failed.is_some();
            }
            ViewState::Ready(data) => self.page = Some(data),
        }
        self.failed = None;
        self.waits_since = None;
        if let Some(page) = &self.page {
            ctx.props().on_page.emit(page.clone());
        }
        let total = self.page.as_deref().map_or(0, |data| bounds(data).0);
        if total != self.geometry.total {
            ctx.props().on_total.emit(total);
        }
        self.geometry.total = total;
        if self.following {
            let standing_px = self.geometry.standing_px(self.standing_px);
            let bottom_px = (standing_px - self.geometry.viewport_px).max(0.0);
            // Scrolled by less than a row it follows still, and is at the bottom again.
            if standing_px != self.standing_px || (self.scroll_px - bottom_px).abs() >= 1.0 {
                self.stand(standing_px);
            }
        }
        match self.awaited.take() {
            Some(index) => {
                self.choose(ctx, index);
            }
            None => self.find_chosen(ctx),
        }
        self.redraw_window(ctx);
        true
    }

    fn scrolled(&mut self, ctx: &Context<Self>) -> bool {
        let Some(element) = self.scroller.cast::<HtmlElement>() else {
            return false;
        };
        let top = f64::from(element.scroll_top());
        let was_following = self.following;
        let before = std::mem::replace(&mut self.scroll_px, top);
        if ctx.props().kind == Kind::Log {
            let raised_px = self.raised_px();
            if self.geometry.at_bottom(top + raised_px) {
                if !was_following {
                    self.follow();
                }
            } else if top < before && top != self.scrolled_to {
                self.leave();
            }
        }
        self.redraw_window(ctx) || was_following != self.following
    }

    /// Follows the newest from now on.
    fn follow(&mut self) {
        self.following = true;
        self.stand(self.geometry.content_px());
    }

    /// Draws the content so tall, and what is seen at its bottom.
    fn stand(&mut self, standing_px: f64) {
        self.standing_px = standing_px;
        self.scroll_px = (standing_px - self.geometry.viewport_px).max(0.0);
        self.scroll_to = Some(self.scroll_px);
    }

    /// Follows the newest no longer: the content gets its own height, and what is seen stays where it is seen.
    fn leave(&mut self) {
        let raised_px = self.raised_px();
        self.following = false;
        if raised_px != 0.0 {
            self.scroll_px += raised_px;
            self.scroll_to = Some(self.scroll_px);
        }
    }

    /// By how much the content is taller than it is drawn.
    fn raised_px(&self) -> f64 {
        match self.following {
            true => self.geometry.content_px() - self.standing_px,
            false => 0.0,
        }
    }

    fn resized(&mut self, ctx: &Context<Self>) -> bool {
        let Some(element) = self.scroller.cast::<HtmlElement>() else {
            return false;
        };
        let header = ctx.props().header.as_ref().map_or(0, |(_, px)| *px);
        self.geometry.viewport_px = f64::from(element.client_height()) - f64::from(header);
        if self.following {
            self.stand(self.geometry.standing_px(self.standing_px));
        }
        self.redraw_window(ctx) || self.following
    }

    /// Recomputes what to draw and asks for more rows where needed. Says whether it differs.
    fn redraw_window(&mut self, ctx: &Context<Self>) -> bool {
        let (window, range) = match self.following {
            true => (
                self.geometry.tail(),
                newest_range(&self.geometry, ctx.props().tail),
            ),
            false => {
                let window = self.geometry.window(self.scroll_px);
                let covers = covers(self.range, window, self.geometry.total);
                let range = if covers {
                    self.range
                } else {
                    fetch_range(window)
                };
                (window, range)
            }
        };
        if range != self.range {
            self.range = range;
            self.asked_px = self.place_px();
            self.subscribe(ctx);
        }
        let window = self.held(ctx).unwrap_or(window);
        let differs = window != self.drawn;
        self.drawn = window;
        let elements = match self.following {
            true => self.geometry.tail_rows(),
            false => self.geometry.rows_max(),
        };
        // What is held may be more than a tail.
        let elements = elements.max(window.end - window.first);
        self.slots.turn_to(window.first, elements);
        differs
    }

    /// What stays on screen because the rows that belong there are still on their way: the rows of the place that was
    /// asked for last, which a long drag has left again, else those that were seen before, else those that are here.
    fn held(&mut self, ctx: &Context<Self>) -> Option<Window> {
        let here = self.place_px();
        if self.has(here) {
            (self.stood_px, self.waits_since) = (here, None);
            return None;
        }
        // Rows that were asked for before the last time may come behind it: any are better than none.
        let (_, start, len) = bounds(self.page.as_deref()?);
        let middle_px = self.geometry.middle(start, len);
        let places = [self.asked_px, self.stood_px, middle_px];
        let place = places.into_iter().find(|place| self.has(*place))?;
        let now = dom::monotonic_ms();
        let since = *self.waits_since.get_or_insert_with(|| {
            let link = ctx.link().clone();
            dom::after(HOLD_MS, move || link.send_message(Msg::Waited));
            now
        });
        (now - since < f64::from(HOLD_MS)).then(|| self.geometry.held(place, here))
    }

    fn place_px(&self) -> f64 {
        match self.following {
            true => self.geometry.bottom_px(),
            false => self.scroll_px,
        }
    }

    /// Whether all rows that are seen at a scroll position are here.
    fn has(&self, scroll_px: f64) -> bool {
        let Some(page) = self.page.as_deref() else {
            return false;
        };
        let (_, start, len) = bounds(page);
        let (first, end) = self.geometry.seen(scroll_px);
        start <= first && end as usize <= start as usize + len
    }

    fn key(&mut self, ctx: &Context<Self>, event: &KeyboardEvent) -> bool {
        if !ctx.props().kind.picks() {
            return false;
        }
        let page = i64::from(self.geometry.page_rows());
        let at = i64::from(self.current);
        let to = match event.key().as_str() {
            "ArrowDown" => at + 1,
            "ArrowUp" => at - 1,
            "PageDown" => at + page,
            "PageUp" => at - page,
            "Home" => 0,
            "End" => i64::MAX,
            "Enter" | " " => {
                event.prevent_default();
                self.choose(ctx, self.current);
                ctx.props().on_enter.emit(());
                return true;
            }
            _ => return false,
        };
        event.prevent_default();
        // Whoever reads upwards does not want to be taken away by the next event.
        self.leave();
        self.move_to(ctx, to, ctx.props().kind == Kind::Listbox)
    }

    fn move_to(&mut self, ctx: &Context<Self>, to: i64, choose: bool) -> bool {
        let last = i64::from(self.geometry.total.saturating_sub(1));
        self.current = to.clamp(0, last) as u32;
        if let Some(top) = self.geometry.reveal(self.current, self.scroll_px) {
            self.scroll_to = Some(top);
        }
        if choose {
            self.choose(ctx, self.current);
        }
        true
    }

    fn choose(&mut self, ctx: &Context<Self>, index: u32) -> bool {
        self.current = index;
        match self.row(index) {
            Some(row) => ctx.props().on_choose.emit(row),
            None if index < self.geometry.total => self.awaited = Some(index),
            None => {}
        }
        true
    }

    fn row(&self, index: u32) -> Option<RowAt> {
        let data = self.page.clone()?;
        let (_, start, len) = bounds(&data);
        let at = index.checked_sub(start)? as usize;
        (at < len).then_some(RowAt { data, at })
    }

    /// Rows move as postings change; the current row is the one with the chosen key.
    fn find_chosen(&mut self, ctx: &Context<Self>) {
        let (Some(chosen), Some(data)) = (&ctx.props().chosen, &self.page) else {
            return;
        };
        let (_, start, len) = bounds(data);
        let found = (0..len).find(|&at| key_of(data, at) == **chosen);
        if let Some(at) = found {
            self.current = start + at as u32;
        }
    }

    fn view_empty(&self, props: &Props) -> Html {
        // The log keeps its name, with nothing in it.
        html! {
            <div class="gl-list">
                <div class="gl-rows is-empty" id={props.id.clone()} role={(props.kind == Kind::Log).then_some("log")} aria-label={(props.kind == Kind::Log).then(|| props.label.clone())}>
                    { props.empty.clone() }
                </div>
            </div>
        }
    }

    fn view_scroller(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let role = match props.kind {
            Kind::Listbox => "listbox",
            Kind::Grid => "grid",
            Kind::Log => "log",
            Kind::Lines => "group",
        };
        let seen = (self.drawn.first..self.drawn.end).contains(&self.current);
        // A log has no such attribute: its lines are read, the current one is seen.
        let names_active = matches!(props.kind, Kind::Listbox | Kind::Grid);
        let active = (names_active && seen && self.geometry.total > 0)
            .then(|| format!("{}-{}", props.id, self.current));
        let rows = props.kind == Kind::Grid;
        let raised_px = self.raised_px();
        let (height_px, top_px) = (
            self.geometry.content_px() - raised_px,
            self.drawn.top_px - raised_px,
        );
        // What is drawn stays in view until the list has heard of a scroll that went past it.
        let header_px = props.header.as_ref().map_or(0, |(_, px)| *px);
        let past_px = self.geometry.past_view_px(self.drawn);
        let style = format!(
            "margin-top:{}px;top:{}px;bottom:-{past_px}px",
            top_px.min(0.0),
            f64::from(header_px) - past_px,
        );
        html! {
            <div
                class="gl-rows"
                id={props.id.clone()}
                ref={self.scroller.clone()}
                {role}
                tabindex="0"
                aria-label={props.label.clone()}
                aria-live={(props.kind == Kind::Log).then_some("off")}
                aria-activedescendant={active}
                aria-rowcount={rows.then(|| (self.geometry.total + 1).to_string())}
                onscroll={ctx.link().callback(|_: Event| Msg::Scrolled)}
                onkeydown={ctx.link().callback(Msg::Key)}
            >
                if let Some((header, _)) = &props.header { { header.clone() } }
                <div class="gl-rows__content" style={format!("height:{height_px}px")} role={if rows { "rowgroup" } else { "presentation" }}>
                    <div style={format!("height:{}px", top_px.max(0.0))} role="presentation"></div>
                    <div class="gl-rows__window" {style} role="presentation">
                        { for (self.drawn.first..self.drawn.end).map(|index| self.view_row(ctx, index)) }
                    </div>
                </div>
            </div>
        }
    }

    fn view_row(&self, ctx: &Context<Self>, index: u32) -> Html {
        let props = ctx.props();
        let style = format!("height:{}px", props.row_px);
        // A log's lines take turns in the same elements.
        let slot =
            matches!(props.kind, Kind::Log).then(|| format!("slot-{}", self.slots.of(index)));
        let Some(row) = self.row(index) else {
            return html! {
                <div key={slot.unwrap_or_else(|| format!("wait-{index}"))} class="gl-row is-waiting" {style} aria-hidden="true">{ bits::skeleton(62) }</div>
            };
        };
        let key = key_of(&row.data, row.at);
        let chosen = props.chosen.as_deref() == Some(key.as_str());
        let current = self.current == index;
        let (role, position, size, row_index) = match props.kind {
            Kind::Listbox => (
                Some("option"),
                Some(index + 1),
                Some(self.geometry.total),
                None,
            ),
            // The header is row 1.
            Kind::Grid => (Some("row"), None, None, Some(index + 2)),
            Kind::Log | Kind::Lines => (None, None, None, None),
        };
        let picks = props.kind.picks();
        html! {
            <div
                key={slot.unwrap_or(key)}
                id={picks.then(|| format!("{}-{index}", props.id))}
                class={classes!("gl-row", chosen.then_some("is-chosen"), (current && picks).then_some("is-current"))}
                {style}
                {role}
                aria-selected={role.is_some().then(|| chosen.to_string())}
                aria-posinset={position.map(|n| n.to_string())}
                aria-setsize={size.map(|n| n.to_string())}
                aria-rowindex={row_index.map(|n| n.to_string())}
                onclick={picks.then(|| ctx.link().callback(move |_| Msg::Click(index)))}
            >
                { props.render.emit(row) }
            </div>
        }
    }
}

/// Number of rows in all, number of the first row here, rows here.
fn bounds(data: &ViewData) -> (u32, u32, usize) {
    match data {
        ViewData::Postings(page) => (page.total, page.start, page.rows.len()),
        ViewData::Runs(page) => (page.total, page.start, page.rows.len()),
        ViewData::Events(log) => (log.page.total, log.page.start, log.page.rows.len()),
        ViewData::Timeline(page) => (page.total, page.start, page.rows.len()),
        ViewData::Biography(life) => (life.page.total, life.page.start, life.page.rows.len()),
        ViewData::Outbox(page) => (page.total, page.start, page.rows.len()),
        _ => (0, 0, 0),
    }
}

/// A row's own id, the same wherever it stands.
pub fn key_of(data: &ViewData, at: usize) -> String {
    match data {
        ViewData::Postings(page) => page.rows.get(at).map(|row| row.posting.to_string()),
        ViewData::Runs(page) => page.rows.get(at).map(|row| row.line.run_id.to_string()),
        ViewData::Events(log) => log.page.rows.get(at).map(|row| match row {
            LogRow::Event(event) => format!("{}.{}", event.epoch, event.offset),
            LogRow::Gap { epoch, from, .. } => format!("gap-{epoch}.{from}"),
            LogRow::Restart { epoch } => format!("restart-{epoch}"),
        }),
        ViewData::Timeline(page) => page.rows.get(at).map(|row| row.id.to_string()),
        ViewData::Biography(life) => life.page.rows.get(at).map(|row| match &row.what {
            LifeEvent::Look(look) => look.run.to_string(),
            LifeEvent::Decision(version) => version.id.to_string(),
            LifeEvent::Repost(repost) => repost.posting.to_string(),
            LifeEvent::Quiet(since) => format!("quiet-{}", since.0),
        }),
        ViewData::Outbox(page) => page.rows.get(at).map(|row| row.key.clone()),
        _ => None,
    }
    .unwrap_or_default()
}
