//! The ticket of a transfer (转移凭条): how another bank names a consent, as text and as a QR code.
//!
//! Who has it can ask; only the learner whom the consent names is answered.

use std::fmt;
use std::str::FromStr;

use creditbank_domain::LeafIndex;
use creditbank_domain::record::RecordRef;
use creditbank_domain::transfer::TransferId;

use crate::show;

/// Most characters of a ticket: an origin has at most 255.
const TICKET_MAX: usize = 400;

/// A consent as another bank names it: `ORIGIN:LEAF:HASH:TRANSFER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) origin: String,
    pub(super) consent: RecordRef,
    pub(super) id: TransferId,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = show::hex(&self.consent.leaf_hash);
        let (origin, leaf, id) = (&self.origin, self.consent.leaf_index, self.id);
        write!(f, "{origin}:{leaf}:{hash}:{id}")
    }
}

/// What was entered is no ticket.
#[derive(Debug)]
pub(super) struct NoTicket;

impl FromStr for Ticket {
    type Err = NoTicket;

    fn from_str(text: &str) -> Result<Self, NoTicket> {
        // A ticket that was copied by hand or from a page may come in several lines.
        let text: String = text.split_whitespace().collect();
        let read = || {
            let (rest, id) = text.rsplit_once(':')?;
            let (rest, hash) = rest.rsplit_once(':')?;
            let (origin, leaf) = rest.rsplit_once(':')?;
            let leaf_index = LeafIndex(super::leaf(leaf).ok()?);
            let leaf_hash = show::from_hex(hash)?;
            let is_origin = !origin.is_empty() && origin.bytes().all(|it| it.is_ascii_graphic());
            Some(Self {
                origin: is_origin.then(|| origin.to_owned())?,
                consent: RecordRef {
                    leaf_index,
                    leaf_hash,
                },
                id: TransferId::parse(id).ok()?,
            })
        };
        let ticket = (text.len() <= TICKET_MAX).then(read).flatten();
        ticket.ok_or(NoTicket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qr::Qr;

    fn ticket() -> Ticket {
        Ticket {
            origin: "sh.creditbank.example/log".to_owned(),
            consent: RecordRef {
                leaf_index: LeafIndex(57),
                leaf_hash: [0x9f; 32],
            },
            id: TransferId([7; 16]),
        }
    }

    #[test]
    fn a_ticket_reads_as_it_was_printed_and_nothing_else_is_one() {
        let text = ticket().to_string();
        assert_eq!(text.parse::<Ticket>().ok(), Some(ticket()));
        let broken = format!(" {}\n{} ", &text[..40], &text[40..]);
        assert_eq!(broken.parse::<Ticket>().ok(), Some(ticket()));
        let long = format!("{}{text}", "a".repeat(TICKET_MAX));
        for wrong in [
            "",
            "sh:57",
            "sh:x:9f",
            "sh.example:57:9f9f",
            &text[1..70],
            long.as_str(),
        ] {
            assert!(wrong.parse::<Ticket>().is_err(), "{wrong}");
        }
        let no_origin = text.replace("sh.creditbank.example/log", "");
        assert!(no_origin.parse::<Ticket>().is_err());
    }

    #[test]
    fn a_ticket_fits_into_a_code() {
        let code = Qr::of(&ticket().to_string()).expect("it fits");
        assert!(code.side > 40 && code.path.starts_with("M4 4h7v1h-7z"));
    }
}
