//! A bar between two panes, moved by pointer or arrow keys (WAI-ARIA *Window splitter*).

use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::{
    AttrValue, Callback, Html, KeyboardEvent, PointerEvent, Properties, classes, component, html,
    use_mut_ref,
};

/// A key press moves this many CSS pixels.
const KEY_STEP_PX: i32 = 16;

/// Which way growing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grows {
    /// The pane left of the bar grows when it moves right.
    Right,
    /// The pane right of the bar grows when it moves left.
    Left,
    /// The pane below the bar grows when it moves up.
    Up,
}

/// Properties of [`Splitter`].
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The accessible name.
    pub label: AttrValue,
    /// Which way growing goes.
    pub grows: Grows,
    /// Present size in CSS pixels.
    pub size: u16,
    /// Smallest and largest size in CSS pixels.
    pub bounds: (u16, u16),
    /// Called while it moves.
    pub on_size: Callback<u16>,
    /// Called when it has been moved.
    pub on_done: Callback<()>,
}

/// See the module.
#[component]
pub fn Splitter(props: &Props) -> Html {
    // Where the pointer went down, and the size then.
    let drag = use_mut_ref(|| None::<(i32, u16)>);
    let grows = props.grows;
    let (low, high) = props.bounds;
    let size = props.size;
    let clamp = move |size: i32| size.clamp(i32::from(low), i32::from(high)) as u16;
    let at = move |event: &PointerEvent| match grows {
        Grows::Right | Grows::Left => event.client_x(),
        Grows::Up => event.client_y(),
    };
    let onpointerdown = {
        let drag = drag.clone();
        Callback::from(move |event: PointerEvent| {
            event.prevent_default();
            if let Some(bar) = event.target().and_then(|t| t.dyn_into::<Element>().ok()) {
                let _ = bar.set_pointer_capture(event.pointer_id());
            }
            *drag.borrow_mut() = Some((at(&event), size));
        })
    };
    let onpointermove = {
        let (drag, on_size) = (drag.clone(), props.on_size.clone());
        Callback::from(move |event: PointerEvent| {
            if let Some((from, size)) = *drag.borrow() {
                let moved = at(&event) - from;
                let grown = if grows == Grows::Right { moved } else { -moved };
                on_size.emit(clamp(i32::from(size) + grown));
            }
        })
    };
    let onpointerup = {
        let (drag, on_done) = (drag.clone(), props.on_done.clone());
        Callback::from(move |_: PointerEvent| {
            if drag.borrow_mut().take().is_some() {
                on_done.emit(());
            }
        })
    };
    let onkeydown = {
        let (on_size, on_done) = (props.on_size.clone(), props.on_done.clone());
        Callback::from(move |event: KeyboardEvent| {
            let step = match (event.key().as_str(), grows) {
                ("ArrowRight", Grows::Right)
                | ("ArrowLeft", Grows::Left)
                | ("ArrowUp", Grows::Up) => KEY_STEP_PX,
                ("ArrowLeft", Grows::Right)
                | ("ArrowRight", Grows::Left)
                | ("ArrowDown", Grows::Up) => -KEY_STEP_PX,
                _ => return,
            };
            event.prevent_default();
            on_size.emit(clamp(i32::from(size) + step));
            on_done.emit(());
        })
    };
    let flat = grows == Grows::Up;
    html! {
        <div
            class={classes!("gl-splitter", flat.then_some("is-flat"))}
            role="separator"
            tabindex="0"
            aria-label={props.label.clone()}
            aria-orientation={if flat { "horizontal" } else { "vertical" }}
            aria-valuenow={size.to_string()}
            aria-valuemin={low.to_string()}
            aria-valuemax={high.to_string()}
            {onpointerdown} {onpointermove} {onpointerup} {onkeydown}
        ></div>
    }
}
