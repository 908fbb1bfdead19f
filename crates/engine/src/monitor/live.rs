//! Live features as a whole: switched off and on again, and how patient every feed is (SPEC C2, C13).

use super::{LinkView, Monitor, Shared, lock};
use crate::environment::backoff;
use ghostlight_api::{
    ApiError, ErrorCode,
    command::Preferences,
    live::{LiveSwitch, Reconnecting},
    view::LinkState,
};
use ghostlight_feed::backoff::Backoff;

/// What a person set.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Live {
    off: bool,
    reconnecting: Reconnecting,
}

impl Live {
    pub fn of(preferences: &Preferences) -> Self {
        Self {
            off: preferences.live_off,
            reconnecting: preferences.reconnecting,
        }
    }
}

impl Monitor {
    /// Acts by what a person set, at once: off ends every connection, on follows the feeds again where they were, and a
    /// feed that waits for its next try waits no longer than it may now.
    pub fn prefer(&self, preferences: &Preferences) -> Result<(), ApiError> {
        let _changing = lock(&self.changing);
        let before = (self.shared.live(), self.shared.backoff());
        *lock(&self.shared.live) = Live::of(preferences);
        let (live, backoff) = (self.shared.live(), self.shared.backoff());
        if backoff != before.1 {
            self.wait_by(backoff)?;
        }
        if live == before.0 {
            return Ok(());
        }
        match live {
            LiveSwitch::On => self.follow_all()?,
            LiveSwitch::Off | LiveSwitch::OffByEnvironment => self.stop_all(),
        }
        lock(&self.shared.desk).sources_changed();
        self.shared.ping();
        Ok(())
    }

    /// Whether live features are on.
    pub fn live(&self) -> LiveSwitch {
        self.shared.live()
    }

    fn wait_by(&self, backoff: Backoff) -> Result<(), ApiError> {
        let running = lock(&self.running);
        let full = running.iter().filter(|(_, feed)| {
            let remote = feed.remote.as_ref();
            remote.is_some_and(|remote| !remote.wait_by(backoff))
        });
        let full: Vec<i64> = full.map(|(id, _)| *id).collect();
        drop(running);
        // Begun anew they know.
        full.into_iter().try_for_each(|id| self.restart(id))
    }

    /// Each is told first, so that none waits for another's end.
    fn stop_all(&self) {
        let running = std::mem::take(&mut *lock(&self.running));
        for feed in running.values() {
            if let Some(remote) = &feed.remote {
                remote.stop();
            }
        }
        running.into_values().for_each(super::Running::stop);
        lock(&self.shared.boards).clear();
    }
}

impl Shared {
    pub(super) fn live(&self) -> LiveSwitch {
        let environment = lock(&self.defaults).environment;
        environment.live(lock(&self.live).off)
    }

    pub(super) fn backoff(&self) -> Backoff {
        let environment = lock(&self.defaults).environment;
        backoff(&environment, lock(&self.live).reconnecting)
    }

    /// A feed's link, unless live features are off.
    pub(super) fn link_or_off(&self, enabled: bool, link: LinkView) -> LinkView {
        match enabled && self.live() != LiveSwitch::On {
            true => LinkView {
                state: LinkState::LiveOff,
                attempt: 0,
                next_try: None,
                ..link
            },
            false => link,
        }
    }
}

/// Why nothing is connected while they are off.
pub(super) fn check_on(live: LiveSwitch) -> Result<(), ApiError> {
    let hint = match live {
        LiveSwitch::On => return Ok(()),
        LiveSwitch::Off => "Switch them on in the settings.",
        LiveSwitch::OffByEnvironment => {
            "GHOSTLIGHT_LIVE says so; start Ghostlight without it to use them."
        }
    };
    Err(ApiError::new(
        ErrorCode::Rule,
        "All live features are switched off, so no feed is connected.",
        hint,
    ))
}
