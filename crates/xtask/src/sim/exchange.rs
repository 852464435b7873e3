//! What banks say to each other: cosigning, pulling steps, and what a restored bank asks.

use creditbank_domain::transfer::book::Entry;
use creditbank_merkle::Hash;

use super::bank::Phase;
use super::check::Violation;
use super::rows::{Fact, Name, Sent};
use super::witness::{Shown, Verdict};
use super::world::{Event, HOUR, MINUTE, NAMES, SECOND, World};

/// Most steps of one answer: few, so that there are many.
const PAGE_STEPS_MAX: usize = 4;
/// The longest way. Shorter than any restore, whose connections are gone.
pub(super) const DELAY_MAX: u64 = 40 * MINUTE;

/// A message on its way.
#[derive(Clone, Debug)]
pub(super) struct Message {
    from: usize,
    to: usize,
    /// An answer is for the run that asked, and for no other.
    run: Option<u64>,
    body: Body,
}

/// What is said.
#[derive(Clone, Debug)]
enum Body {
    /// Cosign this.
    Cosign(Shown),
    /// Cosigned at this size.
    Cosigned(u64),
    /// Cosigned at another size.
    Conflict(u64),
    /// Tell the steps after this one that the log has at this size.
    Pull { after: u64, size: u64 },
    /// Steps, and the last ones of periods, proved under this root.
    Page {
        root: Hash,
        size: u64,
        steps: Vec<Sent>,
        stated: Vec<(u64, u64)>,
    },
    /// What have you cosigned of me? I have cosigned this size of you.
    Ask { old: u64 },
    /// This, and here is where I am.
    Told { cosigned: u64, shown: Shown },
}

impl World<'_> {
    /// A bank turns to a peer: to be cosigned, and for the steps that it has not heard.
    pub(super) fn contact(&mut self, node: usize, peer: Name) {
        let (from, to) = if self.is_wild {
            (10 * MINUTE, HOUR)
        } else {
            (10 * MINUTE, 20 * MINUTE)
        };
        self.after(from, to, Event::Contact(node, peer));
        let Some((_, to)) = self.peers_of(node).into_iter().find(|it| it.0 == peer) else {
            return;
        };
        let bank = &self.banks[node];
        if bank.stopped.contains(&peer) {
            return;
        }
        match &bank.phase {
            Phase::Up => {
                let old = bank.cosigned_by.get(&peer).copied().unwrap_or_default();
                if old < bank.log.durable() && self.does(60) {
                    self.ask_to_cosign(node, to, old);
                }
                if self.does(80) {
                    self.pull(node, to);
                }
            }
            Phase::Asking(told) if !told.contains(&peer) => {
                let old = bank.seen(peer).0;
                self.send(node, to, None, Body::Ask { old });
            }
            Phase::Asking(_) | Phase::Behind | Phase::Down => {}
        }
    }

    /// Whether something is done, in so many of a hundred cases; in quiet times always.
    fn does(&mut self, of_hundred: u64) -> bool {
        !self.is_wild || self.chance.percent(of_hundred)
    }

    /// A message arrives.
    pub(super) fn deliver(&mut self, message: Message) -> Result<(), Violation> {
        let Message {
            from,
            to,
            run,
            body,
            ..
        } = message;
        let bank = &self.banks[to];
        let peer = self.banks[from].name;
        let is_stale = run.is_some_and(|run| run != bank.run);
        let is_cut = self.is_cut(bank.name, peer);
        if bank.phase == Phase::Down || is_stale || is_cut || bank.stopped.contains(&peer) {
            return Ok(());
        }
        let is_up = bank.is_up();
        match body {
            Body::Cosign(shown) if is_up => self.cosign(to, from, &shown)?,
            Body::Cosigned(size) if is_up => self.cosigned_by(to, peer, size),
            Body::Conflict(size) if is_up && size <= bank.log.durable() => {
                self.cosigned_by(to, peer, size);
                self.ask_to_cosign(to, from, size);
            }
            Body::Pull { after, size } if is_up => self.page(to, from, after, size),
            Body::Page {
                root,
                size,
                steps,
                stated,
            } if is_up => self.hear(to, from, (size, root), steps, &stated),
            Body::Ask { old } if is_up => self.tell_restored(to, from, old),
            Body::Told { cosigned, shown } => self.told_restored(to, peer, cosigned, &shown)?,
            _ => {}
        }
        Ok(())
    }

    /// Whether two banks cannot reach each other.
    fn is_cut(&self, one: Name, other: Name) -> bool {
        self.partitions.contains(&(one.min(other), one.max(other)))
    }

    fn ask_to_cosign(&mut self, node: usize, to: usize, old: u64) {
        let shown = self.shown(node, old);
        self.send(node, to, None, Body::Cosign(shown));
    }

    /// A bank's newest durable checkpoint, with the proof from an older size.
    fn shown(&self, node: usize, old: u64) -> Shown {
        let log = &self.banks[node].log;
        let size = log.durable();
        let old = old.min(size);
        let root = |size| log.root_at(size).expect("the log has had this size");
        Shown {
            size,
            root: root(size),
            old,
            old_root: root(old),
        }
    }

    /// A witness answers.
    fn cosign(&mut self, node: usize, from: usize, shown: &Shown) -> Result<(), Violation> {
        let peer = self.banks[from].name;
        match (self.code.judge)(self.banks[node].seen(peer), shown) {
            Verdict::Cosign => {
                self.keep(node, peer, shown)?;
                self.answer(node, from, Body::Cosigned(shown.size));
            }
            Verdict::Conflict(size) => self.answer(node, from, Body::Conflict(size)),
            Verdict::Fork => self.stop(node, peer),
        }
        Ok(())
    }

    /// Keeps what is cosigned. There is one root for a size of a log, for all witnesses together; only who was shown a
    /// second history may have another, and no witness has two.
    fn keep(&mut self, node: usize, peer: Name, shown: &Shown) -> Result<(), Violation> {
        let own = self.banks[node].name;
        let viewer = self.is_split(own, peer).then_some(own);
        self.banks[node]
            .witness
            .insert(peer, (shown.size, shown.root));
        let key = (peer, shown.size, viewer);
        let kept = *self.cosigned.entry(key).or_insert(shown.root);
        if kept == shown.root {
            return Ok(());
        }
        let what = format!("{} cosigned {} at size {}", own.0, peer.0, shown.size);
        Err(Violation::new("one cosigned root for one size", what))
    }

    fn stop(&mut self, node: usize, peer: Name) {
        self.banks[node].stopped.insert(peer);
        self.tell(|world| format!("{} has evidence against {}", world.called(node), peer.0));
    }

    fn cosigned_by(&mut self, node: usize, peer: Name, size: u64) {
        let known = self.banks[node].cosigned_by.entry(peer).or_default();
        *known = size.max(*known);
    }

    fn pull(&mut self, node: usize, to: usize) {
        let bank = &self.banks[node];
        let peer = self.banks[to].name;
        let after = bank.rows.pair_with(peer).heard;
        let size = bank.seen(peer).0;
        self.send(node, to, None, Body::Pull { after, size });
    }

    /// Tells steps: those that are durable, and that the peer has cosigned.
    fn page(&mut self, node: usize, to: usize, after: u64, size: u64) {
        let bank = &self.banks[node];
        let peer = self.banks[to].name;
        let Some(root) = bank.log.root_at(size) else {
            return;
        };
        let end = (self.code.told)(bank.log.durable(), bank.log.written(), size);
        let steps = bank.rows.sent.get(&peer).into_iter().flatten();
        let steps = steps.skip_while(|sent| sent.taken.sequence <= after);
        let steps = steps.take_while(|sent| sent.leaf < end);
        let stated = bank.rows.stated.range((peer, 0)..=(peer, u64::MAX));
        let stated = stated.filter(|(_, (leaf, _))| *leaf < end);
        let body = Body::Page {
            root,
            size,
            steps: steps.take(PAGE_STEPS_MAX).cloned().collect(),
            stated: stated
                .map(|((_, period), (_, last))| (*period, *last))
                .collect(),
        };
        self.answer(node, to, body);
    }

    /// Takes steps in, if they are proved under what was cosigned.
    fn hear(
        &mut self,
        node: usize,
        from: usize,
        (size, root): (u64, Hash),
        steps: Vec<Sent>,
        stated: &[(u64, u64)],
    ) {
        let peer = self.banks[from].name;
        let seen = self.banks[node].seen(peer);
        if seen.0 == size && seen.1 != root {
            return self.stop(node, peer);
        }
        let is_full = steps.len() == PAGE_STEPS_MAX;
        let bank = &mut self.banks[node];
        let stated = stated.iter().map(|(period, last)| ((peer, *period), *last));
        bank.told.extend(stated);
        for sent in steps {
            if !(self.code.may_hear)(bank.clock(self.now), sent.taken.at_ms) {
                return;
            }
            let entry = Entry {
                place: (peer, sent.id),
                side: sent.taken.step.taker().other(),
                taken: sent.taken,
            };
            // What was heard before is refused as out of sequence.
            let _ = bank.append(self.code, self.now, Fact::Heard(entry));
        }
        if is_full {
            self.pull(node, from);
        }
    }

    /// A bank tells a restored one what it has cosigned of it, and where it is itself.
    fn tell_restored(&mut self, node: usize, to: usize, old: u64) {
        let cosigned = self.banks[node].seen(self.banks[to].name).0;
        let shown = self.shown(node, old);
        self.answer(node, to, Body::Told { cosigned, shown });
    }

    /// A restored bank runs once every peer has told it that it has all that they have cosigned. It has forgotten what
    /// it cosigned itself, so it starts from where they are.
    fn told_restored(
        &mut self,
        node: usize,
        peer: Name,
        cosigned: u64,
        shown: &Shown,
    ) -> Result<(), Violation> {
        let bank = &mut self.banks[node];
        let Phase::Asking(told) = &mut bank.phase else {
            return Ok(());
        };
        if !(self.code.may_run)(bank.log.durable(), cosigned) {
            bank.phase = Phase::Behind;
            self.tell(|world| format!("{} lacks what {} cosigned", world.called(node), peer.0));
            return Ok(());
        }
        told.insert(peer);
        let has_all = told.len() == NAMES.len() - 1;
        bank.cosigned_by.insert(peer, cosigned);
        if shown.size > bank.seen(peer).0 {
            self.keep(node, peer, shown)?;
        }
        if has_all {
            let bank = &mut self.banks[node];
            bank.phase = Phase::Up;
            bank.newest = None;
            self.tell(|world| format!("{} goes on from its backup", world.called(node)));
        }
        Ok(())
    }

    fn answer(&mut self, node: usize, to: usize, body: Body) {
        let run = self.banks[to].run;
        self.send(node, to, Some(run), body);
    }

    fn send(&mut self, from: usize, to: usize, run: Option<u64>, body: Body) {
        let is_cut = self.is_cut(self.banks[from].name, self.banks[to].name);
        if is_cut || (self.is_wild && self.chance.percent(self.climate.lost)) {
            return;
        }
        let message = Message {
            from,
            to,
            run,
            body,
        };
        let copies = 1 + u64::from(self.is_wild && self.chance.percent(self.climate.doubled));
        for _ in 0..copies {
            let is_late = self.is_wild && self.chance.percent(self.climate.late);
            let delay = if is_late { DELAY_MAX } else { 20 * SECOND };
            self.after(SECOND, delay, Event::Deliver(message.clone()));
        }
    }
}
