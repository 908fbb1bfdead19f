//! Arithmetic of a virtual list: rows of one height, any number of them, drawn only where seen.
//!
//! [`Geometry`] knows the sizes; [`Geometry::window`] says what to draw and [`fetch_range`] what to
//! ask the core for.

use ghostlight_api::view::{ROWS_MAX, Range};

/// Browsers stop at about 33 million pixels; a taller list scrolls in proportion instead.
const CONTENT_PX_MAX: f64 = 16_000_000.0;
/// Ranges begin at multiples of this many rows, so that a few rows of scrolling ask for nothing.
const RANGE_STEP: u32 = 50;
/// Rows asked for on each side of what is seen, at least.
const MARGIN_ROWS: u32 = 75;

/// Rows drawn above those that are seen while the newest are followed.
const TAIL_SPARE: u32 = 8;
/// While the newest rows are followed, the content may be so many times as tall as it is drawn before it is drawn anew.
const STANDS_TIMES: f64 = 2.0;

/// The sizes of a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry {
    /// Height of a row in CSS pixels.
    pub row_px: f64,
    /// Height of what is seen in CSS pixels.
    pub viewport_px: f64,
    /// Number of rows.
    pub total: u32,
}

/// What to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// First row.
    pub first: u32,
    /// One past the last row.
    pub end: u32,
    /// Where the first row stands in the content, in CSS pixels.
    pub top_px: f64,
}

impl Geometry {
    /// Height of the scrolled content.
    pub fn content_px(&self) -> f64 {
        self.natural_px().min(CONTENT_PX_MAX)
    }

    /// The rows to draw at a scroll position: those seen and a page on either side.
    pub fn window(&self, scroll_px: f64) -> Window {
        let first_seen = self.first_seen(scroll_px);
        let page = self.page_rows();
        let first = (first_seen.floor().max(0.0) as u32)
            .min(self.total)
            .saturating_sub(page);
        let end = (first_seen.floor().max(0.0) as u32)
            .saturating_add(page * 2 + 1)
            .min(self.total);
        let top_px = if self.is_scaled() {
            scroll_px - (first_seen - f64::from(first)) * self.row_px
        } else {
            f64::from(first) * self.row_px
        };
        Window { first, end, top_px }
    }

    /// The rows that are seen at a scroll position, in part too: the first, and one past the last.
    pub fn seen(&self, scroll_px: f64) -> (u32, u32) {
        let first = self.first_seen(scroll_px);
        let end = (first + self.viewport_px / self.row_px).ceil().max(0.0) as u32;
        let first = (first.floor() as u32).min(self.total);
        (first, end.min(self.total))
    }

    /// What is seen at `place_px`, drawn where `scroll_px` is seen: a look that stands still while the list moves.
    pub fn held(&self, place_px: f64, scroll_px: f64) -> Window {
        let (place, scroll) = (self.within(place_px), self.within(scroll_px));
        let window = self.window(place);
        Window {
            top_px: window.top_px + scroll - place,
            ..window
        }
    }

    /// The rows to draw at the very bottom: those seen and a few above them. Where rows come faster than anybody reads,
    /// each one drawn is drawn anew in every frame.
    pub fn tail(&self) -> Window {
        let rows = self.tail_rows().min(self.total);
        Window {
            first: self.total - rows,
            end: self.total,
            top_px: self.content_px() - f64::from(rows) * self.row_px,
        }
    }

    /// By how much the rows of a window are taller than what is seen: so far past the view's edges they may reach. A
    /// browser scrolls and paints before it tells; a window that may be pushed no further than this leaves no blank row.
    pub fn past_view_px(&self, window: Window) -> f64 {
        (f64::from(window.end - window.first) * self.row_px - self.viewport_px).max(0.0)
    }

    /// The height to draw the content with while the newest rows are followed, if it was `drawn_px` before. It stands
    /// still as long as it tells about how long the list is: another height is another scroll position, for which the
    /// browser lays out the page at once, with every page of rows that comes.
    pub fn standing_px(&self, drawn_px: f64) -> f64 {
        let content_px = self.content_px();
        let holds = self.viewport_px * STANDS_TIMES <= drawn_px;
        match holds && drawn_px <= content_px && content_px <= drawn_px * STANDS_TIMES {
            true => drawn_px,
            false => content_px,
        }
    }

    /// The rows that [`Geometry::tail`] holds once there are enough.
    pub fn tail_rows(&self) -> u32 {
        self.page_rows().saturating_add(TAIL_SPARE)
    }

    /// The greatest number of rows that a window holds.
    pub fn rows_max(&self) -> u32 {
        self.page_rows() * 3 + 1
    }

    /// Where to scroll so that `row` is seen, or `None` if it is already.
    pub fn reveal(&self, row: u32, scroll_px: f64) -> Option<f64> {
        let first_seen = self.first_seen(scroll_px);
        let seen = (self.viewport_px / self.row_px).max(1.0);
        let row = f64::from(row);
        let first = if row < first_seen {
            row
        } else if row + 1.0 > first_seen + seen {
            row + 1.0 - seen
        } else {
            return None;
        };
        Some(self.scroll_of(first))
    }

    /// Where to scroll so that `row` stands a third down the view.
    pub fn centre(&self, row: u32) -> f64 {
        let seen = self.viewport_px / self.row_px;
        self.scroll_of(f64::from(row) - seen / 3.0)
    }

    /// Where to scroll so that the middle of `len` rows from `start` on is seen.
    pub fn middle(&self, start: u32, len: usize) -> f64 {
        let seen = self.viewport_px / self.row_px;
        self.scroll_of(f64::from(start) + ((len as f64 - seen) / 2.0).max(0.0))
    }

    /// The lowest scroll position.
    pub fn bottom_px(&self) -> f64 {
        (self.content_px() - self.viewport_px).max(0.0)
    }

    /// Whether the last row is (nearly) seen.
    pub fn at_bottom(&self, scroll_px: f64) -> bool {
        self.bottom_px() - scroll_px < self.row_px * 1.5
    }

    /// Rows that fit into the view, rounded up.
    pub fn page_rows(&self) -> u32 {
        (self.viewport_px / self.row_px).ceil().clamp(1.0, 400.0) as u32
    }

    fn natural_px(&self) -> f64 {
        f64::from(self.total) * self.row_px
    }

    fn is_scaled(&self) -> bool {
        self.natural_px() > CONTENT_PX_MAX
    }

    fn scale(&self) -> f64 {
        let scrollable = (self.natural_px() - self.viewport_px).max(1.0);
        scrollable / self.bottom_px().max(1.0)
    }

    fn within(&self, scroll_px: f64) -> f64 {
        scroll_px.clamp(0.0, self.bottom_px())
    }

    fn first_seen(&self, scroll_px: f64) -> f64 {
        let scroll_px = self.within(scroll_px);
        if self.is_scaled() {
            scroll_px * self.scale() / self.row_px
        } else {
            scroll_px / self.row_px
        }
    }

    fn scroll_of(&self, first_seen: f64) -> f64 {
        let px = first_seen.max(0.0) * self.row_px;
        let px = if self.is_scaled() {
            px / self.scale()
        } else {
            px
        };
        px.min(self.bottom_px())
    }
}

/// Which element draws which row, where elements outlive the rows that they show: making new ones is what costs.
///
/// A list that moves a little keeps most rows in their elements, and those that left take the new ones over. One that
/// moves further keeps the elements where they are, and each takes another row over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slots {
    count: u64,
    first: u32,
    /// Added to a row's number.
    turn: u64,
}

impl Slots {
    /// Rows are drawn from `first` on, `count` of them at most.
    pub fn turn_to(&mut self, first: u32, count: u32) {
        let count = u64::from(count.max(1));
        let moved = u64::from(first.abs_diff(self.first));
        if count != self.count {
            self.turn = count - u64::from(first) % count;
        } else if moved * 2 > count {
            let slot = self.of(self.first);
            self.turn = slot + count - u64::from(first) % count;
        }
        (self.count, self.first) = (count, first);
    }

    /// The number of the element that draws a row.
    pub fn of(&self, row: u32) -> u64 {
        (u64::from(row) + self.turn) % self.count.max(1)
    }
}

/// The range to pull for a window: it and a margin, beginning at a round number, at most
/// [`ROWS_MAX`] rows.
pub fn fetch_range(window: Window) -> Range {
    let start = window.first.saturating_sub(MARGIN_ROWS) / RANGE_STEP * RANGE_STEP;
    let end = window.end.saturating_add(MARGIN_ROWS).div_ceil(RANGE_STEP) * RANGE_STEP;
    let len = end.saturating_sub(start).clamp(RANGE_STEP * 4, ROWS_MAX);
    Range { start, len }
}

/// The range to pull while the newest rows are followed: `tail` of them, or more where more are drawn; the same until the
/// view has another size.
pub fn newest_range(geometry: &Geometry, tail: u32) -> Range {
    let drawn = geometry.tail_rows().div_ceil(RANGE_STEP) * RANGE_STEP;
    Range {
        start: Range::NEWEST,
        len: tail.max(drawn).min(ROWS_MAX),
    }
}

/// Whether `range` still holds the window with some rows to spare. That of the newest rows moves on by itself, so it
/// holds none that stands still.
pub fn covers(range: Range, window: Window, total: u32) -> bool {
    const SPARE: u32 = 20;
    if range.start == Range::NEWEST {
        return false;
    }
    let end = range.start.saturating_add(range.len);
    let low = range.start == 0 || range.start + SPARE <= window.first;
    let high = end >= total || window.end + SPARE <= end;
    low && high && window.first >= range.start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(total: u32) -> Geometry {
        Geometry {
            row_px: 50.0,
            viewport_px: 500.0,
            total,
        }
    }

    #[test]
    fn a_window_is_what_is_seen_and_a_page_on_either_side() {
        for (total, scroll, first, end) in [
            (0, 0.0, 0, 0),
            (5, 0.0, 0, 5),
            (10_000, 0.0, 0, 21),
            (10_000, 5_000.0, 90, 121),
            (10_000, 499_500.0, 9_980, 10_000),
            (10_000, 9e9, 9_980, 10_000),
        ] {
            let window = list(total).window(scroll);
            assert_eq!((window.first, window.end), (first, end), "{total} {scroll}");
            assert_eq!(window.top_px, f64::from(first) * 50.0);
        }
    }

    #[test]
    fn every_row_of_a_very_long_list_can_be_reached() {
        let list = list(5_000_000);
        assert!(list.content_px() <= CONTENT_PX_MAX);
        let end = list.window(list.bottom_px());
        assert_eq!(end.end, 5_000_000);
        for row in [0, 1, 2_500_000, 4_999_999] {
            let scroll = list.reveal(row, 8e6).unwrap_or(8e6);
            let window = list.window(scroll);
            assert!(window.first <= row && row < window.end, "{row}");
            // The row is drawn within the view.
            let y = window.top_px + f64::from(row - window.first) * list.row_px - scroll;
            assert!(
                y > -1.0 && y + list.row_px < list.viewport_px + 1.0,
                "{row} at {y}"
            );
        }
    }

    #[test]
    fn what_is_held_fills_the_view_with_the_rows_of_its_place() {
        for total in [40, 1_000, 5_000_000] {
            let list = list(total);
            let bottom = list.bottom_px();
            for (place, scroll) in [(0.0, bottom), (bottom, 0.0), (777.0, bottom / 2.0)] {
                let window = list.held(place, scroll);
                let (first, end) = list.seen(place);
                let y = |row: u32| window.top_px + f64::from(row - window.first) * list.row_px;
                assert!(window.first <= first && end <= window.end, "{window:?}");
                assert!(
                    y(first) <= scroll.min(bottom) + 1e-6,
                    "{total} {place} {scroll}"
                );
                assert!(y(end) + 1e-6 >= scroll.min(bottom) + list.viewport_px);
            }
        }
        assert_eq!(list(3).seen(0.0), (0, 3));
        assert_eq!(list(0).seen(0.0), (0, 0));
        assert_eq!(list(100).seen(75.0), (1, 12));
    }

    #[test]
    fn rows_reach_past_the_view_by_what_they_are_taller() {
        let past = |total, scroll| list(total).past_view_px(list(total).window(scroll));
        assert_eq!(past(0, 0.0), 0.0);
        assert_eq!(past(5, 0.0), 0.0);
        // A page of ten and a row below, then one above too.
        assert_eq!(past(10_000, 0.0), 550.0);
        assert_eq!(past(10_000, 5_000.0), 1_050.0);
    }

    #[test]
    fn the_middle_of_some_rows_is_seen() {
        for (total, start, len) in [(10_000, 500, 200), (5_000_000, 4_000_000, 150), (40, 0, 40)] {
            let list = list(total);
            let (first, end) = list.seen(list.middle(start, len));
            assert!(
                start <= first && end as usize <= start as usize + len,
                "{first} {end}"
            );
        }
    }

    #[test]
    fn revealing_moves_no_further_than_needed() {
        let list = list(100);
        assert_eq!(list.reveal(3, 0.0), None);
        assert_eq!(list.reveal(10, 0.0), Some(50.0));
        assert_eq!(list.reveal(2, 500.0), Some(100.0));
        assert_eq!(list.reveal(99, 0.0), Some(4_500.0));
    }

    #[test]
    fn ranges_are_asked_for_again_only_near_their_ends() {
        let list = list(10_000);
        let mut asked = 0;
        let mut range = fetch_range(list.window(0.0));
        for step in 0..2_000 {
            let window = list.window(f64::from(step) * 50.0);
            if !covers(range, window, 10_000) {
                range = fetch_range(window);
                asked += 1;
            }
            assert!(
                covers(range, window, 10_000),
                "{step}: {range:?} {window:?}"
            );
            assert!(range.len <= ROWS_MAX);
        }
        assert!(asked < 40, "{asked} requests for 2,000 rows");
    }

    #[test]
    fn what_follows_the_newest_draws_the_last_rows_and_asks_for_them() {
        for total in [0, 3, 1_000, 900_000] {
            let list = list(total);
            let tail = list.tail();
            let seen = list.window(list.bottom_px());
            assert_eq!(tail.end, total);
            // All that is seen is in it, at the same place.
            let page = list.page_rows().min(total);
            assert!(tail.first <= total - page, "{tail:?}");
            let bottom = tail.top_px + f64::from(total - tail.first) * list.row_px;
            let whole = seen.top_px + f64::from(seen.end - seen.first) * list.row_px;
            assert!((bottom - whole).abs() < 0.5, "{bottom} {whole}");
            assert!(tail.end - tail.first <= list.rows_max());
            let range = newest_range(&list, 0);
            assert_eq!(range.len % RANGE_STEP, 0);
            assert_eq!(newest_range(&list, 137).len, 137);
            assert_eq!(newest_range(&list, u32::MAX).len, ROWS_MAX);
            assert!(!covers(range, list.window(0.0), total));
            assert!(range.first_of(total) <= tail.first && range.len <= ROWS_MAX);
        }
    }

    #[test]
    fn what_is_followed_stands_still_while_the_list_grows() {
        let mut heights = Vec::new();
        let mut drawn = 0.0;
        for total in 0..300_000 {
            let list = list(total);
            drawn = list.standing_px(drawn);
            let content = list.content_px();
            assert!(drawn <= content && content <= drawn * STANDS_TIMES);
            if heights.last() != Some(&drawn) {
                heights.push(drawn);
            }
        }
        // Each of the first rows, until the view is full; then each time that the list is twice as long.
        assert_eq!(
            heights.iter().filter(|height| **height > 1_000.0).count(),
            13
        );
        // Other rows, by another filter.
        assert_eq!(list(40).standing_px(drawn), list(40).content_px());
    }

    #[test]
    fn elements_outlive_their_rows_and_move_seldom() {
        const COUNT: u32 = 40;
        let slots_at = |slots: &mut Slots, first: u32| -> Vec<u64> {
            slots.turn_to(first, COUNT);
            (first..first + COUNT).map(|row| slots.of(row)).collect()
        };
        let mut slots = Slots::default();
        let mut before = slots_at(&mut slots, 7);
        let mut first = 7_u32;
        assert_eq!(before, (0..u64::from(COUNT)).collect::<Vec<u64>>());
        for by in [1, 3, -2, 19, 20, 21, 1_000, -999, 40, 77_777, -60_000, 0] {
            let next = first.saturating_add_signed(by);
            let now = slots_at(&mut slots, next);
            let mut each = now.clone();
            each.sort_unstable();
            assert_eq!(each, (0..u64::from(COUNT)).collect::<Vec<u64>>());
            match by.unsigned_abs() * 2 <= COUNT {
                // The rows that stay keep their elements.
                true => {
                    let common = first.max(next)..first.min(next) + COUNT;
                    for row in common {
                        let (was, is) = ((row - first) as usize, (row - next) as usize);
                        assert_eq!(before[was], now[is], "row {row} by {by}");
                    }
                }
                // No element moves.
                false => assert_eq!(before, now, "by {by}"),
            }
            (before, first) = (now, next);
        }
    }

    #[test]
    fn the_bottom_is_noticed() {
        let list = list(100);
        assert!(list.at_bottom(4_500.0));
        assert!(list.at_bottom(4_450.0));
        assert!(!list.at_bottom(4_400.0));
    }
}
