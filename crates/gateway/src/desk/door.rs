//! The door of a desk: a ticket opens it once, for one browser. Only digests of secrets are kept.

use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::session::random_text;

/// A desk that nobody has used for so long is closed.
const IDLE_S: u64 = 4 * 3600;

/// Who is let in.
#[derive(Debug, Default)]
pub(crate) struct Door(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Of the ticket that has not been used.
    ticket: Option<[u8; 32]>,
    seat: Option<Seat>,
}

/// The browser that is inside.
#[derive(Debug)]
struct Seat {
    secret: [u8; 32],
    csrf: String,
    seen_s: u64,
}

impl Door {
    /// A new ticket; an older one that was not used is worth nothing.
    pub(crate) fn ticket(&self) -> String {
        let ticket = random_text();
        self.lock().ticket = Some(digest(&ticket));
        ticket
    }

    /// Lets the bearer of a ticket in, and whoever was inside out. Answers the secret of the new browser.
    pub(crate) fn open(&self, ticket: &str, now_s: u64) -> Option<String> {
        let mut state = self.lock();
        if state.ticket != Some(digest(ticket)) {
            return None;
        }
        let secret = random_text();
        state.ticket = None;
        state.seat = Some(Seat {
            secret: digest(&secret),
            csrf: random_text(),
            seen_s: now_s,
        });
        Some(secret)
    }

    /// What forms of the browser with this secret carry, if it is the one inside.
    pub(crate) fn csrf(&self, secret: &str, now_s: u64) -> Option<String> {
        let mut state = self.lock();
        let seat = state.seat.as_mut()?;
        if seat.secret != digest(secret) || now_s >= seat.seen_s.saturating_add(IDLE_S) {
            return None;
        }
        seat.seen_s = now_s;
        Some(seat.csrf.clone())
    }

    /// Lets nobody in any more.
    pub(crate) fn close(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Secrets are compared by digest, so that how long it takes tells nothing of them.
fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::{Door, IDLE_S};

    #[test]
    fn a_ticket_opens_once() {
        let door = Door::default();
        let ticket = door.ticket();
        assert_eq!(door.open("wrong", 0), None);
        assert_eq!(door.open("", 0), None);
        let secret = door.open(&ticket, 0).expect("the first time");
        assert_eq!(door.open(&ticket, 0), None);
        assert!(door.csrf(&secret, 1).is_some());
        assert_eq!(door.csrf(&ticket, 1), None);
        assert_eq!(door.csrf("", 1), None);
    }

    #[test]
    fn a_desk_is_closed_by_idleness_by_leaving_and_by_the_next_ticket() {
        let door = Door::default();
        let first = door.open(&door.ticket(), 0).expect("fresh");
        assert!(door.csrf(&first, IDLE_S - 1).is_some());
        assert!(door.csrf(&first, 2 * IDLE_S - 2).is_some());
        assert_eq!(door.csrf(&first, 3 * IDLE_S), None);
        let unused = door.ticket();
        let second = door.open(&door.ticket(), 0).expect("fresh");
        assert_eq!(door.csrf(&first, 0), None);
        assert_eq!(door.open(&unused, 0), None);
        door.close();
        assert_eq!(door.csrf(&second, 0), None);
    }
}
