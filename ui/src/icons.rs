//! The icons: one set, drawn for this window on a grid of 16, coloured by the text around them.
//!
//! An icon never stands for something alone: words stand beside it, visible or for screen readers.

use yew::{Html, classes, html};

/// An icon of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// Structured data of the page: braces.
    Braces,
    /// A pattern in the text: lines with a mark.
    Lines,
    /// A model: a four-pointed star.
    Star,
    /// A person who typed: a pen.
    Pen,
    /// Done, or in favour.
    Check,
    /// Failed.
    Cross,
    /// Strong signal: a filled triangle.
    TriangleFull,
    /// Weak signal: an empty triangle.
    Triangle,
    /// Attention: a triangle with a mark.
    Warning,
    /// Not found: a dashed circle.
    Dashed,
    /// Waiting: an empty circle.
    Circle,
    /// Under way: a circle with a dot.
    Dot,
    /// Unclear: a question mark in a circle.
    Question,
    /// Worth knowing.
    Info,
    /// Postings: a sheet with lines.
    Sheet,
    /// Runs: a pulse.
    Pulse,
    /// Settings: sliders.
    Sliders,
    /// Open a file: a folder.
    Folder,
    /// Paste: a clipboard.
    Clipboard,
    /// Light.
    Sun,
    /// Dark.
    Moon,
    /// As the system: a half-filled circle.
    Half,
    /// Unfold.
    Down,
    /// Go on, or unfold to the right.
    Right,
    /// Leads out of the window.
    Out,
    /// Two answers: two overlapping squares.
    Two,
    /// Try again: a turned arrow.
    Again,
    /// Kept beside others: a pin.
    Pin,
    /// More than before: an arrow up.
    Up,
    /// Another system: a plug.
    Plug,
    /// Look for something: a magnifying glass.
    Search,
    /// A moment: a clock.
    Clock,
    /// A day: a sheet of a calendar.
    Calendar,
    /// Taken away as a file: an arrow down, onto a line.
    Save,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Icon::Braces => {
                "M6 2.5c-2 0-2 1-2 2.5s0 2.5-2 3c2 .5 2 1.5 2 3s0 2.5 2 2.5M10 2.5c2 0 2 1 2 2.5s0 2.5 2 3c-2 .5-2 1.5-2 3s0 2.5-2 2.5"
            }
            Icon::Lines => "M2 4h12M2 8h7M2 12h10",
            Icon::Star => {
                "M8 1.5c.6 4 2.5 5.9 6.5 6.5-4 .6-5.9 2.5-6.5 6.5-.6-4-2.5-5.9-6.5-6.5 4-.6 5.9-2.5 6.5-6.5z"
            }
            Icon::Pen => "M3 13l.8-3.2L11 2.6l2.4 2.4-7.2 7.2zM9.5 4.1l2.4 2.4",
            Icon::Check => "M3 8.5l3.3 3.3L13 4.5",
            Icon::Cross => "M3.5 3.5l9 9M12.5 3.5l-9 9",
            Icon::TriangleFull | Icon::Triangle => "M8 2.5L14.5 13.5h-13z",
            Icon::Warning => "M8 2L15 14H1zM8 6.5v3.5M8 12v.2",
            Icon::Dashed => {
                "M8 2a6 6 0 0 1 4.2 1.8M13.8 6.5a6 6 0 0 1 0 3M12.2 12.2a6 6 0 0 1-2.7 1.6M6.5 13.8a6 6 0 0 1-2.7-1.6M2.2 9.5a6 6 0 0 1 0-3M3.8 3.8a6 6 0 0 1 1.7-1.2"
            }
            Icon::Circle => "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11z",
            Icon::Dot => {
                "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM8 6.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3z"
            }
            Icon::Question => {
                "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM6.2 6.3c.2-2.3 3.7-2.2 3.6 0 0 1.4-1.8 1.5-1.8 2.9M8 11.3v.2"
            }
            Icon::Info => "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 7.3v3.7M8 5v.2",
            Icon::Sheet => "M3.5 1.5h6l3 3v10h-9zM9.5 1.5v3h3M5.5 7.5h5M5.5 10h5M5.5 12.3h3",
            Icon::Pulse => "M1.5 8.5h3l2-5.5 3 10 2-4.5h3",
            Icon::Sliders => "M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6M8 2.8h4v3.4H8zM4 9.8h4v3.4H4z",
            Icon::Folder => "M1.5 3.5h4.5l1.5 2h7v7.5h-13z",
            Icon::Clipboard => "M5.5 3h-2.5v11h10v-11h-2.5M5.5 1.8h5v2.7h-5zM5.5 8h5M5.5 10.8h3.5",
            Icon::Sun => {
                "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8L13 13M13 3l-1.2 1.2M4.2 11.8L3 13"
            }
            Icon::Moon => "M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z",
            Icon::Half => "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 2v12M8 5h4.5M8 8h6M8 11h4.5",
            Icon::Down => "M3.5 6l4.5 4.5L12.5 6",
            Icon::Right => "M6 3.5L10.5 8 6 12.5",
            Icon::Out => "M9 2.5h4.5V7M13.5 2.5L7 9M11.5 9.5v4h-9v-9h4",
            Icon::Two => "M2 2h7.5v7.5H2zM6.5 12v2H14V6.5h-2",
            Icon::Again => "M13.5 8a5.5 5.5 0 1 1-1.8-4.1M13.5 1.5v3.3h-3.3",
            Icon::Pin => "M6 1.5h4l-.5 5 2.5 2.5H4l2.5-2.5zM8 9v5.5",
            Icon::Up => "M8 13.5V3M3.8 7L8 2.8 12.2 7",
            Icon::Search => "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3L14 14",
            Icon::Clock => "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 4.8V8l2.3 1.6",
            Icon::Calendar => {
                "M2 3.5h12v10.5H2zM2 7h12M5.2 1.8v3.2M10.8 1.8v3.2M10 10.5h1.2v.6H10z"
            }
            Icon::Save => "M8 2v7.5M4.6 6.4L8 9.8l3.4-3.4M2.5 13.5h11",
            Icon::Plug => "M5.5 1.5v4M10.5 1.5v4M3.5 5.5h9v2a4.5 4.5 0 0 1-9 0zM8 12v3",
        }
    }

    /// Draws it, hidden from screen readers.
    pub fn draw(self) -> Html {
        let filled = self == Icon::TriangleFull;
        html! {
            <svg class={classes!("gl-icon", filled.then_some("is-filled"))} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
                <path d={self.path()} />
            </svg>
        }
    }
}

/// The orb of the masthead.
pub fn orb() -> Html {
    html! {
        <svg class="gl-orb" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
            <defs>
                <radialGradient id="gl-orb" cx=".35" cy=".3" r=".75">
                    <stop offset="0" stop-color="#fff" />
                    <stop offset=".45" stop-color="#a99cff" />
                    <stop offset="1" stop-color="#5b4bd6" />
                </radialGradient>
            </defs>
            <circle cx="10" cy="10" r="9" fill="url(#gl-orb)" />
        </svg>
    }
}
