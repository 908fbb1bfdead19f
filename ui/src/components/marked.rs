//! Texts with what differs marked: removed words struck through, new ones underlaid. As text only.

use crate::state::diff::{Diff, Side};
use similar::ChangeTag;
use yew::{Html, html};

/// Said where a [`Diff`] is not marked.
pub const NOT_MARKED: &str = "Too much differs to mark it: both texts are shown as they are.";

/// A value of more characters, or of more lines, scrolls by itself.
const LINE_CHARS_MAX: usize = 240;
const LINES_MAX: usize = 3;

/// A side of two texts. What went is only seen: read out, the text is what it says.
pub fn view_side(diff: &Diff, side: Side) -> Html {
    let part = |(tag, text): (ChangeTag, &str)| {
        let text = text.to_owned();
        match tag {
            ChangeTag::Equal => html! { { text } },
            ChangeTag::Delete if side == Side::Both => {
                html! { <del aria-hidden="true">{ text }</del> }
            }
            ChangeTag::Delete => html! { <del>{ text }</del> },
            ChangeTag::Insert => html! { <ins>{ text }</ins> },
        }
    };
    html! { <span class="gl-said">{ for diff.parts(side).into_iter().map(part) }</span> }
}

/// A text as it stands, or that there is none.
pub fn view_plain(text: Option<&str>) -> Html {
    match text {
        Some(text) => html! { <span class="gl-said">{ text.to_owned() }</span> },
        None => html! { <span class="gl-dim">{ "nothing" }</span> },
    }
}

/// Whether a text needs a place of its own to be read in.
pub fn is_long(text: &str) -> bool {
    text.chars().nth(LINE_CHARS_MAX).is_some() || text.lines().nth(LINES_MAX).is_some()
}
