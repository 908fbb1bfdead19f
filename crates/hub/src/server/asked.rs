//! A subscription as a query asks for it, over SSE and poll.

use super::answers::{bad_request, error};
use axum::{http::StatusCode, response::Response};
use ghostlight_model::Offset;
use ghostlight_sync::{
    frame::{Echo, Position, Subscribe, code},
    names::Pattern,
};

/// Reads it. `last` names the last event had, `from` the next one wanted.
pub(super) fn subscription(
    stream: &str,
    from: Option<&str>,
    last: Option<&str>,
) -> Result<Subscribe, Box<Response>> {
    if let Err(problem) = Pattern::checked(stream) {
        return Err(Box::new(error(
            StatusCode::BAD_REQUEST,
            code::BAD_STREAM,
            &problem.to_string(),
        )));
    }
    let read = |text: &str| {
        position(text).ok_or_else(|| {
            Box::new(bad_request(&format!(
                "{text:?} is no place; expected EPOCH.OFFSET, two whole numbers"
            )))
        })
    };
    let last = last.filter(|last| !last.is_empty());
    let from = match (last, from) {
        (Some(last), _) => {
            let had = read(last)?;
            Some(Position {
                offset: Offset(had.offset.0.saturating_add(1)),
                ..had
            })
        }
        (None, Some(from)) => Some(read(from)?),
        (None, None) => None,
    };
    Ok(Subscribe {
        id: Echo::number(1),
        stream: stream.to_owned(),
        from,
        positions: Default::default(),
        more: false,
    })
}

/// `EPOCH.OFFSET`
fn position(text: &str) -> Option<Position> {
    let (epoch, offset) = text.split_once('.')?;
    Some(Position::new(epoch.parse().ok()?, offset.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_two_whole_numbers() {
        for (text, expected) in [
            ("5.42", Some(Position::new(5, 42))),
            ("5", None),
            ("5.", None),
            ("-5.1", None),
            ("5.1.2", None),
            ("18446744073709551616.0", None),
        ] {
            assert_eq!(position(text), expected, "{text}");
        }
    }
}
