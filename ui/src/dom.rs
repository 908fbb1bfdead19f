//! Thin handles over what the browser engine offers: listeners and timers that end when dropped,
//! frames, clock, storage.

use ghostlight_model::Micros;
use js_sys::Function;
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{
    Element, Event, EventTarget, FocusEvent, HtmlElement, Node, ResizeObserver,
    ScrollIntoViewOptions, ScrollLogicalPosition,
};
use yew::NodeRef;

/// A listener that is removed when dropped.
pub struct Listener {
    target: EventTarget,
    name: &'static str,
    captures: bool,
    closure: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Listens for `name` on `target`.
    pub fn new(
        target: &EventTarget,
        name: &'static str,
        handler: impl FnMut(Event) + 'static,
    ) -> Self {
        Self::of((target, name, false), Closure::new(handler))
    }

    /// As [`Listener::new`], also for what happens within `target` and is told there only, such as scrolling.
    pub fn within(
        target: &EventTarget,
        name: &'static str,
        handler: impl FnMut(Event) + 'static,
    ) -> Self {
        Self::of((target, name, true), Closure::new(handler))
    }

    fn of(
        (target, name, captures): (&EventTarget, &'static str, bool),
        closure: Closure<dyn FnMut(Event)>,
    ) -> Self {
        let function: &Function = closure.as_ref().unchecked_ref();
        // Fails only for a target that is no target.
        let _ = target.add_event_listener_with_callback_and_bool(name, function, captures);
        Self {
            target: target.clone(),
            name,
            captures,
            closure,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let function: &Function = self.closure.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback_and_bool(
            self.name,
            function,
            self.captures,
        );
    }
}

/// A repeating timer that stops when dropped.
pub struct Interval {
    handle: i32,
    _closure: Closure<dyn FnMut()>,
}

impl Interval {
    /// Calls `tick` every `ms` milliseconds.
    pub fn new(ms: i32, tick: impl FnMut() + 'static) -> Self {
        let closure = Closure::new(tick);
        let handle = window()
            .set_interval_with_callback_and_timeout_and_arguments_0(
                closure.as_ref().unchecked_ref(),
                ms,
            )
            .unwrap_or_default();
        Self {
            handle,
            _closure: closure,
        }
    }
}

impl Drop for Interval {
    fn drop(&mut self) {
        window().clear_interval_with_handle(self.handle);
    }
}

/// Tells of a change of an element's size; stops when dropped.
pub struct SizeObserver {
    observer: Option<ResizeObserver>,
    _closure: Closure<dyn FnMut()>,
}

impl SizeObserver {
    /// Calls `changed` in the frame after `element` got another size. Not at once: what changes
    /// sizes while sizes are being told is told to be a loop.
    pub fn new(element: &Element, changed: impl Fn() + 'static) -> Self {
        let changed = Rc::new(changed);
        let closure = Closure::new(move || {
            let changed = changed.clone();
            next_frame(move || changed());
        });
        let observer = ResizeObserver::new(closure.as_ref().unchecked_ref()).ok();
        if let Some(observer) = &observer {
            observer.observe(element);
        }
        Self {
            observer,
            _closure: closure,
        }
    }
}

impl Drop for SizeObserver {
    fn drop(&mut self) {
        if let Some(observer) = &self.observer {
            observer.disconnect();
        }
    }
}

/// Runs `work` after `ms` milliseconds.
pub fn after(ms: i32, work: impl FnOnce() + 'static) {
    let function = Closure::once_into_js(work);
    let _ = window()
        .set_timeout_with_callback_and_timeout_and_arguments_0(function.unchecked_ref(), ms);
}

/// Runs `work` before the next frame is drawn.
pub fn next_frame(work: impl FnOnce() + 'static) {
    let function = Closure::once_into_js(work);
    let _ = window().request_animation_frame(function.unchecked_ref());
}

/// Runs `work` before the next frame is drawn; in a page that is seen after `ms` milliseconds at the latest.
pub fn next_frame_within(ms: i32, work: impl FnOnce() + 'static) {
    let work = Rc::new(Cell::new(Some(work)));
    let late = Rc::clone(&work);
    next_frame(move || work.take().into_iter().for_each(|work| work()));
    after(ms, move || {
        if !document().hidden() {
            late.take().into_iter().for_each(|work| work());
        }
    });
}

/// The window.
#[expect(clippy::expect_used, reason = "this program only runs in one")]
pub fn window() -> web_sys::Window {
    web_sys::window().expect("a window")
}

/// The document.
#[expect(clippy::expect_used, reason = "this program only runs in one")]
pub fn document() -> web_sys::Document {
    window().document().expect("a document")
}

/// Now.
pub fn now() -> Micros {
    Micros((js_sys::Date::now() * 1000.0) as i64)
}

/// Milliseconds since the page began, for measuring spans of time.
pub fn monotonic_ms() -> f64 {
    window().performance().map_or(0.0, |p| p.now())
}

/// Minutes to add to UTC for local time now.
pub fn local_offset_minutes() -> i32 {
    -js_sys::Date::new_0().get_timezone_offset() as i32
}

/// Whether letters typed into `target` go somewhere.
pub fn is_typing(target: Option<EventTarget>) -> bool {
    let Some(element) = target.and_then(|t| t.dyn_into::<Element>().ok()) else {
        return false;
    };
    matches!(element.tag_name().as_str(), "TEXTAREA" | "SELECT")
        || (element.tag_name() == "INPUT" && !is_button_like(&element))
        || element.has_attribute("contenteditable")
}

fn is_button_like(element: &Element) -> bool {
    let kind = element.get_attribute("type").unwrap_or_default();
    matches!(kind.as_str(), "checkbox" | "radio" | "button" | "submit")
}

/// Whether a modal dialog is open.
pub fn dialog_is_open() -> bool {
    matches!(document().query_selector("dialog[open]"), Ok(Some(_)))
}

/// Puts the focus on the element with this id, if it is there.
pub fn focus_id(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        focus(&element);
    }
}

/// Puts the focus on the first element at a selector, if there is one.
pub fn focus_at(selector: &str) {
    if let Ok(Some(element)) = document().query_selector(selector) {
        focus(&element);
    }
}

/// Whether any element has the focus.
pub fn has_focus() -> bool {
    let active = document().active_element();
    active.is_some_and(|element| element.tag_name() != "BODY")
}

/// Whether the focus that leaves an element stays within `whole`. Where another window takes it, it comes back.
pub fn focus_stays(event: &FocusEvent, whole: &NodeRef) -> bool {
    let to = event.related_target();
    let to = to.and_then(|target| target.dyn_into::<Node>().ok());
    let within = whole.cast::<Node>().zip(to);
    within.is_some_and(|(whole, to)| whole.contains(Some(&to)))
        || !document().has_focus().unwrap_or(true)
}

/// Puts the focus on an element without scrolling more than needed.
pub fn focus(element: &Element) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        let _ = element.focus();
    }
}

/// Scrolls as little as shows an element.
pub fn reveal(element: &Element) {
    let nearest = ScrollIntoViewOptions::new();
    nearest.set_block(ScrollLogicalPosition::Nearest);
    element.scroll_into_view_with_scroll_into_view_options(&nearest);
}

/// Whether no font is being loaded.
pub fn fonts_are_there() -> bool {
    let fonts = js_sys::Reflect::get(&document(), &"fonts".into());
    let status = fonts.and_then(|fonts| js_sys::Reflect::get(&fonts, &"status".into()));
    status.is_ok_and(|status| status.as_string().as_deref() == Some("loaded"))
}

/// Shows an element above all others and unclipped, where it is a `popover`.
pub fn show_above(element: &Element) {
    // An engine that knows no popovers draws it where its style says.
    let show = js_sys::Reflect::get(element, &"showPopover".into()).unwrap_or_default();
    if let Some(show) = show.dyn_ref::<Function>() {
        let _ = show.call0(element);
    }
}

/// The day that weeks begin with where the system is set up for: 1 for Monday to 7 for Sunday; `None` if that is not known.
pub fn week_start() -> Option<u8> {
    let get = |of: &JsValue, name: &str| js_sys::Reflect::get(of, &name.into()).ok();
    let language = window().navigator().language()?;
    let locale = get(&get(&window(), "Intl")?, "Locale")?;
    let locale: Function = locale.dyn_into().ok()?;
    let locale = js_sys::Reflect::construct(&locale, &js_sys::Array::of1(&language.into())).ok()?;
    // A method by now; a property in older engines.
    let info = match get(&locale, "getWeekInfo")?.dyn_ref::<Function>() {
        Some(method) => method.call0(&locale).ok()?,
        None => get(&locale, "weekInfo")?,
    };
    let day = get(&info, "firstDay")?.as_f64()?;
    (1.0..=7.0).contains(&day).then_some(day as u8)
}

/// Width and height of what the window shows, in CSS pixels.
pub fn view_size() -> (f64, f64) {
    let root = document().document_element();
    root.map_or((0.0, 0.0), |root| {
        (root.client_width().into(), root.client_height().into())
    })
}

/// Remembers a text for the next start; a refusal is no harm.
pub fn remember(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(key, value);
    }
}

/// Whether the page as a whole is of a class.
pub fn root_has(class: &str) -> bool {
    let root = document().document_element();
    root.is_some_and(|root| root.class_list().contains(class))
}

/// Puts the page as a whole into a class, or out of it.
pub fn set_root(class: &str, on: bool) {
    if let Some(root) = document().document_element() {
        let _ = root.class_list().toggle_with_force(class, on);
    }
}

/// Tells `boot.js` to apply theme and motion again.
pub fn apply_look() {
    if let Ok(event) = Event::new("ghostlight-look") {
        let _ = window().dispatch_event(&event);
    }
}

/// A key that no other call makes, for commands that must not be done twice.
pub fn fresh_key() -> String {
    let random = || (js_sys::Math::random() * 4_294_967_296.0) as u32;
    format!("{:x}-{:08x}{:08x}", now().0, random(), random())
}

/// What an error value of the engine says.
pub fn text_of(value: &JsValue) -> String {
    value
        .as_string()
        .or_else(|| js_sys::JSON::stringify(value).ok().map(String::from))
        .unwrap_or_else(|| "an error without words".into())
}

/// Puts a text onto the clipboard; says whether the system allowed it.
pub async fn copy(text: &str) -> bool {
    let promise = window().navigator().clipboard().write_text(text);
    wasm_bindgen_futures::JsFuture::from(promise).await.is_ok()
}

/// Whether the system says that there is a network.
pub fn is_online() -> bool {
    window().navigator().on_line()
}
