//! Who is there: the tokens that are good, and what each may use (SPEC J5).
//!
//! A principal is a token; everybody who has not shown a good one is *strangers*, together. [`Principals::enter`] gives
//! a [`Ticket`] for each connection, which is given back when that ends; [`Principals::request`] counts requests.

use super::Token;
use ghostlight_sync::Millis;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections of one principal at a time: ten of them fill a server. One more is told to come again, by 429 or close
/// code 4429.
pub const CONNECTIONS_EACH_MAX: usize = 1_000;
/// Requests of one principal a second, as a mean: HTTP requests and frames of WebSockets. One more is told to come
/// again, by 429 or close code 4429.
pub const REQUESTS_PER_S_MAX: u32 = 5_000;
/// What was not used in so many seconds may be used at once: all its clients connecting again is no flood.
const BURST_S: u64 = 10;
/// When to come again if there are too many connections, in milliseconds.
const FULL_RETRY_MS: u64 = 5_000;

/// What one principal may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Connections at a time: WebSockets, event streams and requests under way.
    pub connections: usize,
    /// Requests a second, as a mean; at least 1.
    pub requests_per_s: u32,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_EACH_MAX,
            requests_per_s: REQUESTS_PER_S_MAX,
        }
    }
}

/// A principal, by the number under which its token was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Strangers,
    Token(u64),
}

/// A principal wants more than its [`Quota`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; come again in {} s", self.retry_s())]
pub(super) struct Over {
    what: String,
    pub retry_after_ms: u64,
}

impl Over {
    /// For `Retry-After`.
    pub fn retry_s(&self) -> u64 {
        self.retry_after_ms.div_ceil(1_000).max(1)
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Principals {
    quota: Quota,
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    known: Vec<(u64, Token, Used)>,
    strangers: Used,
    next: u64,
}

#[derive(Debug, Default)]
struct Used {
    connections: usize,
    rate: Rate,
}

/// A connection of a principal, until it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    principals: Arc<Principals>,
    pub who: Who,
}

impl Principals {
    pub fn new(token: Token, quota: Quota) -> Arc<Self> {
        Arc::new(Self {
            quota,
            inside: Mutex::new(Inside {
                known: vec![(0, token, Used::default())],
                strangers: Used::default(),
                next: 1,
            }),
        })
    }

    /// Another token is good from now on, if it was not.
    pub fn allow(&self, token: Token) {
        let mut inside = self.lock();
        if !inside.known.iter().any(|one| one.1.is(token.reveal())) {
            let id = inside.next;
            inside.next += 1;
            inside.known.push((id, token, Used::default()));
        }
    }

    /// A token is good no more.
    pub fn revoke(&self, token: &Token) {
        let mut inside = self.lock();
        inside.known.retain(|one| !one.1.is(token.reveal()));
    }

    /// Whose token this is, if it is good. All are compared, so that the time does not tell which is nearly it.
    pub fn recognise(&self, shown: &str) -> Option<Who> {
        let inside = self.lock();
        let known = inside.known.iter();
        known.fold(None, |found, (id, token, _)| match token.is(shown) {
            true => Some(Who::Token(*id)),
            false => found,
        })
    }

    /// Whether it may still be here.
    pub fn is_good(&self, who: Who) -> bool {
        self.lock().used(who).is_some()
    }

    /// Connections that showed this token.
    pub fn connections(&self, token: &Token) -> usize {
        let inside = self.lock();
        let mut known = inside.known.iter();
        let found = known.find(|one| one.1.is(token.reveal()));
        found.map_or(0, |one| one.2.connections)
    }

    /// One more connection. A token that was revoked meanwhile is a stranger's.
    pub fn enter(self: &Arc<Self>, who: Who) -> Result<Ticket, Over> {
        let most = self.quota.connections;
        let mut inside = self.lock();
        let who = match inside.used(who) {
            Some(_) => who,
            None => Who::Strangers,
        };
        match inside.used(who) {
            Some(used) if used.connections < most => used.connections += 1,
            _ => {
                return Err(Over {
                    what: format!(
                        "{} {most} connections open, the most there may be",
                        has(who)
                    ),
                    retry_after_ms: FULL_RETRY_MS,
                });
            }
        }
        Ok(Ticket {
            principals: Arc::clone(self),
            who,
        })
    }

    /// One more request.
    pub fn request(&self, who: Who, now: Millis) -> Result<(), Over> {
        let most = self.quota.requests_per_s.max(1);
        let mut inside = self.lock();
        // Revoked: it is told so elsewhere.
        let Some(used) = inside.used(who) else {
            return Ok(());
        };
        used.rate.take(most, now).map_err(|retry_after_ms| Over {
            what: format!(
                "{} made more than {most} requests a second, the most there may be",
                has(who)
            ),
            retry_after_ms,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Counts change in single steps, so a panicking holder left whole ones.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has(who: Who) -> &'static str {
    match who {
        Who::Token(_) => "this token has",
        Who::Strangers => "those without a token have",
    }
}

impl Inside {
    fn used(&mut self, who: Who) -> Option<&mut Used> {
        match who {
            Who::Strangers => Some(&mut self.strangers),
            Who::Token(id) => {
                let mut known = self.known.iter_mut();
                known.find(|one| one.0 == id).map(|one| &mut one.2)
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(used) = self.principals.lock().used(self.who) {
            used.connections = used.connections.saturating_sub(1);
        }
    }
}

/// A mean rate with a burst: the time at which everything taken would have been earned, in microseconds (the generic
/// cell rate algorithm, ITU-T I.371).
#[derive(Debug, Default)]
struct Rate {
    earned_at: u64,
}

impl Rate {
    /// Takes one of `most` a second; `Err` says after how many milliseconds it could.
    fn take(&mut self, most: u32, now: Millis) -> Result<(), u64> {
        let now = now.0.saturating_mul(1_000);
        let each = (1_000_000 / u64::from(most)).max(1);
        let ahead = self.earned_at.saturating_sub(now);
        let most_ahead = BURST_S * 1_000_000 - each;
        if ahead > most_ahead {
            return Err((ahead - most_ahead).div_ceil(1_000));
        }
        self.earned_at = self.earned_at.max(now) + each;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token {
        Token::new(text).unwrap()
    }

    fn taken(rate: &mut Rate, most: u32, now: u64) -> u64 {
        let mut count = 0;
        while rate.take(most, Millis(now)).is_ok() {
            count += 1;
        }
        count
    }

    #[test]
    fn a_burst_is_let_through_and_the_mean_is_kept() {
        for most in [1, 7, 1_000, 5_000] {
            let mut rate = Rate::default();
            let burst = u64::from(most) * BURST_S;
            let near = |count: u64, expected: u64| count.abs_diff(expected) <= 1 + expected / 1_000;
            assert!(near(taken(&mut rate, most, 0), burst), "{most}");
            let wait = rate.take(most, Millis(0)).unwrap_err();
            assert!(wait <= 1_000, "{wait}");
            assert!(rate.take(most, Millis(wait)).is_ok());
            // A second earns a second's worth, an hour no more than the burst.
            assert!(
                near(taken(&mut rate, most, wait + 1_000), u64::from(most)),
                "{most}"
            );
            assert!(near(taken(&mut rate, most, 3_600_000), burst), "{most}");
            // A clock that stands still earns nothing.
            assert_eq!(taken(&mut rate, most, 3_600_000), 0);
        }
    }

    #[test]
    fn each_principal_has_its_own_and_gets_back_what_ends() {
        let quota = Quota {
            connections: 2,
            requests_per_s: 1,
        };
        let (one, two) = (token("0123456789abcdef"), token("fedcba9876543210"));
        let principals = Principals::new(one.clone(), quota);
        assert_eq!(principals.recognise(two.reveal()), None);
        principals.allow(two.clone());
        principals.allow(two.clone());
        let first = principals.recognise(one.reveal()).unwrap();
        let second = principals.recognise(two.reveal()).unwrap();
        assert_ne!(first, second);
        let tickets = [
            principals.enter(first).unwrap(),
            principals.enter(first).unwrap(),
        ];
        let over = principals.enter(first).unwrap_err();
        assert_eq!(over.retry_s(), 5);
        assert!(over.to_string().contains("2 connections"), "{over}");
        let other = principals.enter(second).unwrap();
        let _stranger = principals.enter(Who::Strangers).unwrap();
        assert_eq!(principals.connections(&one), 2);
        drop(tickets);
        assert_eq!(principals.connections(&one), 0);
        assert!(principals.enter(first).is_ok());
        // Its rate does not touch the others' either.
        while principals.request(first, Millis(0)).is_ok() {}
        assert!(principals.request(second, Millis(0)).is_ok());
        assert!(principals.request(Who::Strangers, Millis(0)).is_ok());
        // Revoked: gone at once, and what it held is no one else's.
        principals.revoke(&two);
        assert!(!principals.is_good(second) && principals.is_good(first));
        assert_eq!(principals.enter(second).unwrap().who, Who::Strangers);
        assert!(principals.request(second, Millis(0)).is_ok());
        principals.allow(two.clone());
        drop(other);
        assert_eq!(principals.connections(&two), 0);
    }
}
