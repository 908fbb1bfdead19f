//! A text layer with its quoted words marked, as plain text; only the lines near what is seen are
//! drawn, so two megabytes scroll like two pages.
//!
//! Glyph widths are measured once per font with a canvas; lines are broken by
//! [`crate::state::wrap`], a part at a time, marks are cut by [`crate::state::spans`].

use crate::{
    dom::{self, Listener, SizeObserver},
    state::{
        rows::Geometry,
        spans::{Owner, Piece, Span, pieces},
        wrap::{Line, Wrapping, line_of},
    },
};
use ghostlight_api::{ViewData, view::TextView};
use std::{cell::RefCell, collections::HashMap, rc::Rc};
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, EventTarget, HtmlCanvasElement, HtmlElement};
use yew::{
    Callback, Component, Context, Event, Html, KeyboardEvent, MouseEvent, NodeRef, Properties,
    classes, html,
};

/// Height of a line in CSS pixels; `app.css` says the same.
const LINE_PX: f64 = 20.0;
/// A line is broken this much earlier than its box ends, for kerning that the sum of glyph widths
/// does not know.
const SLACK: f32 = 0.985;
/// Layouts that are kept: those of a page's two layers, between which a click on a field may go back and forth.
const LAID_KEPT: usize = 2;
/// Bytes of a text that are broken into lines at a time: some milliseconds of work, and more than any but the longest
/// texts have. Between two parts the page does what else there is to do.
const PART_BYTES: usize = 128 * 1024;
/// Width of a glyph before anything was measured, in CSS pixels.
const GLYPH_PX: f32 = 7.0;

/// Properties of [`TextLayer`].
#[derive(Properties, Clone)]
pub struct Props {
    /// A [`ViewData::Text`].
    pub text: Rc<ViewData>,
    /// The quoted spans, in order.
    pub spans: Rc<Vec<Span>>,
    /// The owner to outline, and a number that changes when it is to be scrolled to.
    pub selected: Option<(Owner, u32)>,
    /// Whether glyphs have one width.
    pub mono: bool,
    /// Marked words were clicked.
    pub on_pick: Callback<Owner>,
}

impl PartialEq for Props {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.text, &other.text)
            && self.spans == other.spans
            && self.selected == other.selected
            && self.mono == other.mono
            && self.on_pick == other.on_pick
    }
}

/// What happens to the layer.
pub enum Msg {
    /// It was scrolled.
    Scrolled,
    /// It has another size.
    Resized,
    /// A font came.
    Fonts,
    /// Another text, or the same in another font, is in the page: its font can be measured.
    Changed,
    /// The next part of a long text, of the work of this number.
    Part(u32),
}

/// A text that is being broken into lines.
struct Work {
    wrapping: Wrapping,
    ruler: Rc<Ruler>,
    text: Rc<ViewData>,
    mono: bool,
    width: f32,
}

/// How a text is broken into lines.
struct Laid {
    text: Rc<ViewData>,
    mono: bool,
    width: f32,
    lines: Rc<Vec<Line>>,
}

/// See the module.
pub struct TextLayer {
    scroller: NodeRef,
    observer: Option<SizeObserver>,
    _fonts: Option<Listener>,
    lines: Rc<Vec<Line>>,
    laid: Vec<Laid>,
    work: Option<Work>,
    /// Counts the works: a part of one that is given up is passed over.
    works: u32,
    /// Whether the lines are not those of the text yet.
    due: bool,
    width_px: i32,
    /// What a line has of it, less the slack.
    width: f32,
    geometry: Geometry,
    scroll_px: f64,
    first: u32,
    scroll_to: Option<f64>,
    /// Whether the selected words are looked for once all lines are known.
    seeks: bool,
}

impl Component for TextLayer {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<Self>) -> Self {
        Self {
            scroller: NodeRef::default(),
            observer: None,
            _fonts: listen_for_fonts(ctx),
            lines: Rc::default(),
            laid: Vec::new(),
            work: None,
            works: 0,
            due: false,
            width_px: 0,
            width: 0.0,
            geometry: Geometry {
                row_px: LINE_PX,
                viewport_px: 400.0,
                total: 0,
            },
            scroll_px: 0.0,
            first: 0,
            scroll_to: None,
            seeks: false,
        }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        let Some(element) = self.scroller.cast::<HtmlElement>() else {
            return false;
        };
        match msg {
            Msg::Scrolled => {
                self.scroll_px = f64::from(element.scroll_top());
                let first = self.geometry.window(self.scroll_px).first;
                // A page on either side is drawn: a few lines of scrolling need nothing new.
                let moved = first.abs_diff(self.first) > 4 || first == 0;
                if moved {
                    self.first = first;
                }
                moved
            }
            Msg::Resized => {
                self.geometry.viewport_px = f64::from(element.client_height());
                if element.client_width() == self.width_px {
                    return true;
                }
                self.lay_out(ctx, &element);
                true
            }
            Msg::Fonts => {
                self.laid.clear();
                RULERS.with_borrow_mut(Vec::clear);
                self.lay_out(ctx, &element);
                true
            }
            Msg::Changed => {
                self.lay_out(ctx, &element);
                self.show_selected(ctx);
                true
            }
            Msg::Part(work) => work == self.works && self.go_on(ctx),
        }
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &Props) -> bool {
        let new = ctx.props();
        if !Rc::ptr_eq(&new.text, &old.text) || new.mono != old.mono {
            self.work = None;
            (self.scroll_px, self.scroll_to) = (0.0, Some(0.0));
            match self.kept(new, self.width) {
                Some(lines) => {
                    self.set_lines(lines);
                    self.show_selected(ctx);
                }
                // Nothing is drawn until the page has the text's font: the other one's widths would break it wrongly.
                None => (self.due, self.lines) = (true, Rc::default()),
            }
        } else if new.selected != old.selected {
            self.show_selected(ctx);
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let window = self.geometry.window(self.scroll_px);
        let text = text_of(props);
        let lines = self.lines.get(window.first as usize..window.end as usize);
        html! {
            <div class={classes!("gl-text", props.mono.then_some("is-mono"))} ref={self.scroller.clone()} tabindex="0" role="region" aria-label="posting text" onscroll={ctx.link().callback(|_: Event| Msg::Scrolled)}>
                <div class="gl-text__content" style={format!("height:{}px", self.geometry.content_px())}>
                    <div class="gl-text__window" style={format!("top:{}px", window.top_px)}>
                        { for lines.unwrap_or_default().iter().map(|line| view_line(props, text, *line)) }
                    </div>
                </div>
            </div>
        }
    }

    fn rendered(&mut self, ctx: &Context<Self>, first: bool) {
        let Some(element) = self.scroller.cast::<HtmlElement>() else {
            return;
        };
        if first {
            let link = ctx.link().clone();
            let changed = move || link.send_message(Msg::Resized);
            self.observer = Some(SizeObserver::new(&element, changed));
            ctx.link().send_message(Msg::Resized);
        }
        if std::mem::take(&mut self.due) {
            ctx.link().send_message(Msg::Changed);
        } else if let Some(top) = self.scroll_to.take() {
            element.set_scroll_top(top.round() as i32);
        }
    }
}

impl TextLayer {
    fn lay_out(&mut self, ctx: &Context<Self>, element: &HtmlElement) {
        let first_layout = self.width_px == 0;
        self.width_px = element.client_width();
        self.works += 1;
        self.work = None;
        let width = padding_free_width(element) * SLACK;
        self.width = width;
        match self.kept(ctx.props(), width) {
            Some(lines) => self.set_lines(lines),
            None => {
                self.work = Some(Work {
                    wrapping: Wrapping::default(),
                    ruler: Ruler::of(element),
                    text: Rc::clone(&ctx.props().text),
                    mono: ctx.props().mono,
                    width,
                });
                self.go_on(ctx);
            }
        }
        if first_layout {
            self.show_selected(ctx);
        }
    }

    /// The next part of the work. Whether there is something to draw: the beginning of a text of which nothing is drawn
    /// yet, or all of it. In between what is drawn stays.
    fn go_on(&mut self, ctx: &Context<Self>) -> bool {
        let Some(mut work) = self.work.take() else {
            return false;
        };
        let (text, ruler) = (text_in(&work.text), &work.ruler);
        work.wrapping
            .go_on(text, PART_BYTES, work.width, |c| ruler.advance(c));
        if work.wrapping.is_over() {
            let lines = Rc::new(work.wrapping.into_lines());
            self.laid.truncate(LAID_KEPT - 1);
            let laid = Laid {
                text: work.text,
                mono: work.mono,
                width: work.width,
                lines: Rc::clone(&lines),
            };
            self.laid.insert(0, laid);
            self.set_lines(lines);
            if std::mem::take(&mut self.seeks) {
                self.show_selected(ctx);
            }
            return true;
        }
        let begins = self.lines.is_empty();
        if begins {
            self.set_lines(Rc::new(work.wrapping.lines().to_vec()));
        }
        self.work = Some(work);
        let (link, work) = (ctx.link().clone(), self.works);
        dom::after(0, move || link.send_message(Msg::Part(work)));
        begins
    }

    fn set_lines(&mut self, lines: Rc<Vec<Line>>) {
        self.lines = lines;
        self.geometry.total = self.lines.len() as u32;
        self.scroll_px = self.scroll_px.min(self.geometry.bottom_px());
    }

    /// The lines of a text that were broken before.
    fn kept(&self, props: &Props, width: f32) -> Option<Rc<Vec<Line>>> {
        let is_it = |laid: &&Laid| {
            let same = Rc::ptr_eq(&laid.text, &props.text) && laid.mono == props.mono;
            same && (laid.width - width).abs() < 0.5
        };
        let laid = self.laid.iter().find(is_it);
        laid.map(|laid| Rc::clone(&laid.lines))
    }

    fn show_selected(&mut self, ctx: &Context<Self>) {
        // As long as not all lines are known, the words may be on one of the others.
        self.seeks = self.work.is_some();
        if self.seeks {
            return;
        }
        let Some((owner, _)) = &ctx.props().selected else {
            return;
        };
        let span = ctx.props().spans.iter().find(|span| span.owner == *owner);
        if let Some(span) = span {
            let line = line_of(&self.lines, span.start) as u32;
            let top = self.geometry.centre(line);
            self.scroll_px = top;
            self.scroll_to = Some(top);
            self.first = self.geometry.window(top).first;
        }
    }
}

fn text_of(props: &Props) -> &str {
    text_in(&props.text)
}

fn text_in(data: &ViewData) -> &str {
    match data {
        ViewData::Text(TextView { text, .. }) => text,
        _ => "",
    }
}

fn view_line(props: &Props, text: &str, line: Line) -> Html {
    let piece = |piece: Piece| view_piece(props, text, &piece);
    html! {
        <div key={line.start} class="gl-text__line">{ for pieces(&props.spans, line.start, line.end).into_iter().map(piece) }</div>
    }
}

fn view_piece(props: &Props, text: &str, piece: &Piece) -> Html {
    let words = text
        .get(piece.start as usize..piece.end as usize)
        .unwrap_or_default();
    let selected = props.selected.as_ref().map(|(owner, _)| owner);
    let owned = |i: &&usize| selected == Some(&props.spans[**i].owner);
    let outlined = piece.spans.iter().find(owned);
    let marked = piece.spans.iter().find(|i| !props.spans[**i].is_passage());
    let Some(&span) = outlined.or(marked) else {
        return html! { <>{ words.to_owned() }</> };
    };
    // A click means the innermost span.
    let target = &props.spans[*marked.unwrap_or(&span)];
    let names: Vec<String> = piece
        .spans
        .iter()
        .map(|&i| name_of(&props.spans[i].owner))
        .collect();
    let class = classes!(
        "gl-mark",
        outlined.is_some().then_some("is-selected"),
        props.spans[span].is_passage().then_some("is-passage"),
        matches!(props.spans[span].owner, Owner::Signal(_)).then_some("is-signal"),
    );
    let pick = {
        let (on_pick, owner) = (props.on_pick.clone(), target.owner.clone());
        Callback::from(move |()| on_pick.emit(owner.clone()))
    };
    let onclick = pick.reform(|_: MouseEvent| ());
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if matches!(event.key().as_str(), "Enter" | " ") {
            event.prevent_default();
            pick.emit(());
        }
    });
    // Only where a span begins does Tab stop, not at each of its pieces.
    let begins = props.spans[span].start == piece.start;
    html! {
        <mark key={piece.start} {class} title={names.join(", ")} role="button" tabindex={if begins { "0" } else { "-1" }} aria-label={format!("{words}: {}", names.join(", "))} {onclick} {onkeydown}>{ words.to_owned() }</mark>
    }
}

fn name_of(owner: &Owner) -> String {
    match owner {
        Owner::Field(key) => key.label().to_owned(),
        Owner::Signal(id) => format!("signal: {}", id.replace('_', " ")),
    }
}

fn padding_free_width(element: &HtmlElement) -> f32 {
    let padding = style_of(element, "padding-left") + style_of(element, "padding-right");
    (element.client_width() as f32 - padding).max(40.0)
}

fn style_of(element: &HtmlElement, property: &str) -> f32 {
    let style = dom::window().get_computed_style(element).ok().flatten();
    let value = style.and_then(|style| style.get_property_value(property).ok());
    value
        .and_then(|value| value.trim_end_matches("px").parse().ok())
        .unwrap_or(0.0)
}

fn listen_for_fonts(ctx: &Context<TextLayer>) -> Option<Listener> {
    let fonts = js_sys::Reflect::get(&dom::document(), &"fonts".into()).ok()?;
    let fonts = fonts.dyn_into::<EventTarget>().ok()?;
    let link = ctx.link().clone();
    let came = move |_| link.send_message(Msg::Fonts);
    Some(Listener::new(&fonts, "loadingdone", came))
}

/// Measures glyphs in a font; ASCII at once, others when first met.
struct Ruler {
    canvas: Option<CanvasRenderingContext2d>,
    ascii: [f32; 128],
    others: RefCell<HashMap<char, f32>>,
}

thread_local! {
    /// The rulers made so far, by their font; a window has two.
    static RULERS: RefCell<Vec<(String, Rc<Ruler>)>> = RefCell::default();
}

impl Ruler {
    /// In an element's font.
    fn of(element: &HtmlElement) -> Rc<Self> {
        let font = font_of(element).unwrap_or_default();
        RULERS.with_borrow_mut(|rulers| {
            if let Some((_, ruler)) = rulers.iter().find(|(known, _)| *known == font) {
                return Rc::clone(ruler);
            }
            let ruler = Rc::new(Self::in_font(&font));
            // Not while a font is on its way: glyphs are another's until then.
            if dom::fonts_are_there() {
                rulers.push((font, Rc::clone(&ruler)));
            }
            ruler
        })
    }

    fn in_font(font: &str) -> Self {
        let canvas = context_with_font(font);
        let mut ascii = [GLYPH_PX; 128];
        for (code, width) in ascii.iter_mut().enumerate().skip(32) {
            *width = measure(canvas.as_ref(), code as u8 as char);
        }
        // A tab is drawn as wide as four blanks.
        ascii[usize::from(b'\t')] = ascii[32] * 4.0;
        Self {
            canvas,
            ascii,
            others: RefCell::default(),
        }
    }

    fn advance(&self, c: char) -> f32 {
        if let Some(width) = self.ascii.get(c as usize) {
            return *width;
        }
        let mut others = self.others.borrow_mut();
        *others
            .entry(c)
            .or_insert_with(|| measure(self.canvas.as_ref(), c))
    }
}

fn measure(canvas: Option<&CanvasRenderingContext2d>, c: char) -> f32 {
    let mut bytes = [0; 4];
    let glyph: &str = c.encode_utf8(&mut bytes);
    let metrics = canvas.and_then(|canvas| canvas.measure_text(glyph).ok());
    metrics.map_or(GLYPH_PX, |metrics| metrics.width() as f32)
}

fn context_with_font(font: &str) -> Option<CanvasRenderingContext2d> {
    let canvas = dom::document().create_element("canvas").ok()?;
    let canvas = canvas.dyn_into::<HtmlCanvasElement>().ok()?;
    let context = canvas.get_context("2d").ok()??;
    let context = context.dyn_into::<CanvasRenderingContext2d>().ok()?;
    context.set_font(font);
    Some(context)
}

fn font_of(element: &HtmlElement) -> Option<String> {
    let style = dom::window().get_computed_style(element).ok()??;
    let part = |name| style.get_property_value(name).unwrap_or_default();
    Some(format!(
        "{} {} {}",
        part("font-weight"),
        part("font-size"),
        part("font-family")
    ))
}
