//! What the disk holds: once as programs see it, once as it would be found after a power cut. Pure; knows no FUSE.
//!
//! The model is POSIX, read strictly. A file's bytes are durable after fsync or fdatasync of that file, its name after
//! fsync of the folder that holds it. What was not synced is, after a cut: of a folder, any first part of its changes; of a
//! file, nothing, a first part with its last write torn, or any of its pages, some torn between sectors.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use crate::chance::Chance;

/// The folder that is mounted.
pub const ROOT: u64 = 1;
const PAGE: usize = 4096;
const SECTOR: usize = 512;

/// Why an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// EIO.
    Io,
    /// ENOSPC.
    NoRoom,
    /// ENOENT.
    Missing,
    /// ENOTEMPTY.
    NotEmpty,
}

/// Kinds of operations, as traps count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bytes or length of a file.
    Write,
    /// fsync, fdatasync.
    Sync,
    /// Create, rename, remove.
    Name,
    /// Each of them.
    Any,
}

impl Kind {
    /// By its name.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "write" => Ok(Self::Write),
            "sync" => Ok(Self::Sync),
            "name" => Ok(Self::Name),
            "any" => Ok(Self::Any),
            other => Err(format!("no kind of operation: {other}")),
        }
    }
}

/// What happens at a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// This and everything after it fails.
    Die,
    /// This one fails.
    Fail,
    /// This write and all after it find no room.
    Full,
}

/// Something that happens at the nth operation of a kind.
#[derive(Debug)]
pub struct Trap {
    kind: Kind,
    left: u64,
    effect: Effect,
}

impl Trap {
    /// `nth` counts from 1.
    pub fn new(kind: Kind, nth: u64, effect: Effect) -> Self {
        let left = nth.max(1);
        Self { kind, left, effect }
    }
}

/// A file or a folder.
#[derive(Debug)]
pub struct Node {
    /// Permissions.
    pub mode: u32,
    /// How often it is open.
    opened: u64,
    /// Its content.
    pub content: Content,
}

/// What a node holds.
#[derive(Debug)]
pub enum Content {
    /// Bytes.
    File(Layers<Vec<u8>, Change>),
    /// Names.
    Folder(Layers<Names, Naming>),
}

/// Names of a folder, with their nodes.
pub type Names = BTreeMap<OsString, u64>;

/// Something as it is seen, as it is on the disk, and what leads from the one to the other.
#[derive(Debug)]
pub struct Layers<T, C> {
    /// As programs see it.
    pub now: T,
    durable: T,
    pending: Vec<C>,
}

/// A change of a file.
#[derive(Debug)]
pub enum Change {
    /// Bytes at a place.
    Write(usize, Vec<u8>),
    /// Another length.
    Resize(usize),
}

/// A change of a folder.
#[derive(Debug)]
pub enum Naming {
    /// A name for a node.
    Put(OsString, u64),
    /// A name that is gone.
    Remove(OsString),
    /// Both at once.
    Rename(OsString, OsString),
}

impl<T: Default, C> Default for Layers<T, C> {
    fn default() -> Self {
        let (now, durable, pending) = (T::default(), T::default(), Vec::new());
        Self {
            now,
            durable,
            pending,
        }
    }
}

/// What changes do.
pub trait Apply<C> {
    /// Does one.
    fn apply(&mut self, change: &C);
}

impl Apply<Change> for Vec<u8> {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Write(at, bytes) => {
                if self.len() < at + bytes.len() {
                    self.resize(at + bytes.len(), 0);
                }
                self[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Change::Resize(length) => self.resize(*length, 0),
        }
    }
}

impl Apply<Naming> for Names {
    fn apply(&mut self, change: &Naming) {
        match change {
            Naming::Put(name, node) => drop(self.insert(name.clone(), *node)),
            Naming::Remove(name) => drop(self.remove(name)),
            Naming::Rename(from, to) => {
                if let Some(node) = self.remove(from) {
                    self.insert(to.clone(), node);
                }
            }
        }
    }
}

impl<T: Apply<C> + Clone, C> Layers<T, C> {
    fn change(&mut self, change: C) {
        self.now.apply(&change);
        self.pending.push(change);
    }

    fn sync(&mut self) {
        for change in self.pending.drain(..) {
            self.durable.apply(&change);
        }
    }
}

impl Layers<Names, Naming> {
    /// After a cut: the first of the changes.
    fn lose(&mut self, chance: &mut Chance) -> usize {
        let kept = chance.below(self.pending.len() + 1);
        let lost = self.pending.len() - kept;
        for change in self.pending.drain(..).take(kept) {
            self.durable.apply(&change);
        }
        self.now.clone_from(&self.durable);
        lost
    }
}

impl Layers<Vec<u8>, Change> {
    /// After a cut: what chance leaves of the changes.
    fn lose(&mut self, chance: &mut Chance) -> usize {
        let pending = std::mem::take(&mut self.pending);
        match chance.below(3) {
            0 => {}
            1 if !pending.is_empty() => self.keep_first(&pending, chance),
            _ => pending
                .iter()
                .for_each(|change| self.keep_pages(change, chance)),
        }
        let lost = usize::from(self.now != self.durable);
        self.now.clone_from(&self.durable);
        lost
    }

    /// The first changes, and a part of the next.
    fn keep_first(&mut self, pending: &[Change], chance: &mut Chance) {
        let kept = chance.below(pending.len());
        for change in &pending[..kept] {
            self.durable.apply(change);
        }
        if let Change::Write(at, bytes) = &pending[kept] {
            let torn = bytes[..chance.below(bytes.len() + 1)].to_vec();
            self.durable.apply(&Change::Write(*at, torn));
        }
    }

    /// Any pages of a change, whole or cut off between sectors.
    fn keep_pages(&mut self, change: &Change, chance: &mut Chance) {
        let Change::Write(at, bytes) = change else {
            if chance.below(2) == 0 {
                self.durable.apply(change);
            }
            return;
        };
        let mut start = 0;
        while start < bytes.len() {
            let page = (PAGE - (at + start) % PAGE).min(bytes.len() - start);
            let kept = match chance.below(8) {
                0..3 => 0,
                3..6 => page,
                _ => (SECTOR * chance.below(PAGE / SECTOR)).saturating_sub((at + start) % SECTOR),
            };
            let kept = kept.min(page);
            let piece = bytes[start..start + kept].to_vec();
            if !piece.is_empty() {
                self.durable.apply(&Change::Write(at + start, piece));
            }
            start += page;
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Disk {
    nodes: BTreeMap<u64, Node>,
    next: u64,
    trap: Option<Trap>,
    dead: bool,
    full: bool,
    lies: bool,
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Self {
        let root = Node {
            mode: 0o755,
            opened: 0,
            content: Content::Folder(Layers::default()),
        };
        Self {
            nodes: BTreeMap::from([(ROOT, root)]),
            next: ROOT + 1,
            trap: None,
            dead: false,
            full: false,
            lies: false,
        }
    }

    /// Has something happen.
    pub fn set_trap(&mut self, trap: Trap) {
        self.trap = Some(trap);
    }

    /// Nothing fails any more.
    pub fn heal(&mut self) {
        self.trap = None;
        self.dead = false;
        self.full = false;
    }

    /// Syncs do nothing from now on.
    pub fn lie(&mut self) {
        self.lies = true;
    }

    /// Makes everything durable.
    pub fn settle(&mut self) {
        for node in self.nodes.values_mut() {
            match &mut node.content {
                Content::File(file) => file.sync(),
                Content::Folder(folder) => folder.sync(),
            }
        }
    }

    /// The power goes and comes back; tells how much was lost.
    pub fn cut(&mut self, chance: &mut Chance) -> String {
        let (mut files, mut names) = (0, 0);
        for node in self.nodes.values_mut() {
            match &mut node.content {
                Content::File(file) => files += file.lose(chance),
                Content::Folder(folder) => names += folder.lose(chance),
            }
            node.opened = 0;
        }
        self.heal();
        self.forget_unnamed();
        format!("cut: {files} files lost bytes, {names} changes of names were lost")
    }

    /// Flips one bit of a file in a folder of the root; tells which.
    pub fn flip(&mut self, chance: &mut Chance, folder: &str) -> Option<String> {
        let folder = self.names(ROOT)?.get(OsStr::new(folder)).copied()?;
        let files: Vec<_> = self.names(folder)?.clone().into_iter().collect();
        let full = |node: &u64| self.file(*node).is_some_and(|bytes| !bytes.is_empty());
        let files: Vec<_> = files.iter().filter(|(_, node)| full(node)).collect();
        let (name, node) = files.get(chance.below(files.len().max(1)))?;
        let Content::File(file) = &mut self.nodes.get_mut(node)?.content else {
            return None;
        };
        file.sync();
        let (at, bit) = (chance.below(file.now.len()), chance.below(8));
        file.now[at] ^= 1 << bit;
        file.durable[at] ^= 1 << bit;
        Some(format!("{} byte {at} bit {bit}", name.to_string_lossy()))
    }

    /// A node.
    pub fn node(&self, node: u64) -> Result<&Node, Fault> {
        self.alive()?;
        self.nodes.get(&node).ok_or(Fault::Missing)
    }

    /// Names of a folder.
    pub fn names(&self, folder: u64) -> Option<&Names> {
        match &self.nodes.get(&folder)?.content {
            Content::Folder(folder) => Some(&folder.now),
            Content::File(_) => None,
        }
    }

    /// Bytes of a file.
    pub fn file(&self, file: u64) -> Option<&[u8]> {
        match &self.nodes.get(&file)?.content {
            Content::File(file) => Some(&file.now),
            Content::Folder(_) => None,
        }
    }

    /// The node of a name.
    pub fn find(&self, folder: u64, name: &OsStr) -> Result<u64, Fault> {
        self.alive()?;
        let names = self.names(folder).ok_or(Fault::Missing)?;
        names.get(name).copied().ok_or(Fault::Missing)
    }

    /// A new file or folder.
    pub fn make(
        &mut self,
        folder: u64,
        name: &OsStr,
        mode: u32,
        is_folder: bool,
    ) -> Result<u64, Fault> {
        self.reach(Kind::Name)?;
        let node = self.next;
        self.folder(folder)?
            .change(Naming::Put(name.to_owned(), node));
        self.next += 1;
        let content = if is_folder {
            Content::Folder(Layers::default())
        } else {
            Content::File(Layers::default())
        };
        let made = Node {
            mode,
            opened: 0,
            content,
        };
        self.nodes.insert(node, made);
        Ok(node)
    }

    /// Takes a name away.
    pub fn remove(&mut self, folder: u64, name: &OsStr) -> Result<(), Fault> {
        let node = self.find(folder, name)?;
        if self.names(node).is_some_and(|names| !names.is_empty()) {
            return Err(Fault::NotEmpty);
        }
        self.reach(Kind::Name)?;
        self.folder(folder)?.change(Naming::Remove(name.to_owned()));
        Ok(())
    }

    /// Gives a node another name in the same folder.
    pub fn rename(&mut self, folder: u64, from: &OsStr, to: &OsStr) -> Result<(), Fault> {
        self.find(folder, from)?;
        self.reach(Kind::Name)?;
        self.folder(folder)?
            .change(Naming::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    /// Sets permissions.
    pub fn set_mode(&mut self, node: u64, mode: u32) -> Result<(), Fault> {
        self.nodes.get_mut(&node).ok_or(Fault::Missing)?.mode = mode;
        Ok(())
    }

    /// Opens or closes.
    pub fn count_opened(&mut self, node: u64, opens: bool) {
        if let Some(node) = self.nodes.get_mut(&node) {
            node.opened = if opens {
                node.opened + 1
            } else {
                node.opened.saturating_sub(1)
            };
        }
    }

    /// Changes a file.
    pub fn change(&mut self, file: u64, change: Change) -> Result<(), Fault> {
        self.reach(Kind::Write)?;
        if self.full && matches!(change, Change::Write(..)) {
            return Err(Fault::NoRoom);
        }
        match &mut self.nodes.get_mut(&file).ok_or(Fault::Missing)?.content {
            Content::File(file) => file.change(change),
            Content::Folder(_) => return Err(Fault::Missing),
        }
        Ok(())
    }

    /// Makes a file or folder durable. As on Linux, a sync that fails takes with it what it should have written: the next
    /// one has nothing to do and succeeds.
    pub fn sync(&mut self, node: u64) -> Result<(), Fault> {
        let reached = self.reach(Kind::Sync);
        if self.lies {
            return reached;
        }
        let node = self.nodes.get_mut(&node).ok_or(Fault::Missing)?;
        match (&mut node.content, reached) {
            (Content::File(file), Ok(())) => file.sync(),
            (Content::Folder(folder), Ok(())) => folder.sync(),
            (Content::File(file), Err(_)) if !self.dead => file.pending.clear(),
            _ => {}
        }
        self.forget_unnamed();
        reached
    }

    fn alive(&self) -> Result<(), Fault> {
        if self.dead { Err(Fault::Io) } else { Ok(()) }
    }

    /// Counts an operation, and fails it where a trap says so.
    fn reach(&mut self, kind: Kind) -> Result<(), Fault> {
        self.alive()?;
        let Some(trap) = &mut self.trap else {
            return Ok(());
        };
        if trap.kind != Kind::Any && trap.kind != kind {
            return Ok(());
        }
        trap.left -= 1;
        if trap.left > 0 {
            return Ok(());
        }
        let effect = trap.effect;
        self.trap = None;
        match effect {
            Effect::Die => self.dead = true,
            Effect::Full => {
                self.full = true;
                return Ok(());
            }
            Effect::Fail => {}
        }
        Err(Fault::Io)
    }

    fn folder(&mut self, folder: u64) -> Result<&mut Layers<Names, Naming>, Fault> {
        match self.nodes.get_mut(&folder).map(|node| &mut node.content) {
            Some(Content::Folder(folder)) => Ok(folder),
            _ => Err(Fault::Missing),
        }
    }

    /// Drops what no name leads to, neither now nor after any cut, and nobody holds open.
    fn forget_unnamed(&mut self) {
        let mut named = BTreeSet::from([ROOT]);
        for node in self.nodes.values() {
            if let Content::Folder(folder) = &node.content {
                named.extend(folder.now.values().chain(folder.durable.values()));
                named.extend(folder.pending.iter().filter_map(|change| match change {
                    Naming::Put(_, node) => Some(node),
                    Naming::Remove(_) | Naming::Rename(..) => None,
                }));
            }
        }
        self.nodes
            .retain(|id, node| node.opened > 0 || named.contains(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(disk: &mut Disk, name: &str, bytes: &[u8]) -> u64 {
        let file = disk.make(ROOT, OsStr::new(name), 0o600, false).unwrap();
        disk.change(file, Change::Write(0, bytes.to_vec())).unwrap();
        file
    }

    #[test]
    fn what_was_synced_with_its_name_survives_every_cut() {
        for seed in 0..100 {
            let mut disk = Disk::new();
            let file = written(&mut disk, "a", &[7; 9000]);
            disk.sync(file).unwrap();
            disk.sync(ROOT).unwrap();
            disk.change(file, Change::Write(9000, vec![8; 9000]))
                .unwrap();
            disk.cut(&mut Chance::new(seed));
            let file = disk.find(ROOT, OsStr::new("a")).unwrap();
            assert_eq!(disk.file(file).unwrap()[..9000], [7; 9000]);
        }
    }

    #[test]
    fn a_name_that_was_not_synced_is_lost_under_some_seed_and_kept_under_another() {
        let there = |seed| {
            let mut disk = Disk::new();
            let file = written(&mut disk, "a", b"x");
            disk.sync(file).unwrap();
            disk.cut(&mut Chance::new(seed));
            disk.find(ROOT, OsStr::new("a")).is_ok()
        };
        assert!((0..20).any(there) && !(0..20).all(there));
    }

    #[test]
    fn a_renamed_file_has_one_name_after_every_cut() {
        for seed in 0..50 {
            let mut disk = Disk::new();
            let old = written(&mut disk, "current", b"old");
            let new = written(&mut disk, "beside", b"new");
            for node in [old, new, ROOT] {
                disk.sync(node).unwrap();
            }
            disk.rename(ROOT, OsStr::new("beside"), OsStr::new("current"))
                .unwrap();
            disk.cut(&mut Chance::new(seed));
            let current = disk.find(ROOT, OsStr::new("current")).unwrap();
            let is_new = disk.find(ROOT, OsStr::new("beside")).is_err();
            assert_eq!(
                disk.file(current).unwrap(),
                if is_new { b"new" } else { b"old" }
            );
        }
    }

    #[test]
    fn a_sync_that_failed_is_not_made_good_by_the_next() {
        let mut disk = Disk::new();
        let file = written(&mut disk, "a", b"x");
        disk.sync(ROOT).unwrap();
        disk.set_trap(Trap::new(Kind::Sync, 1, Effect::Fail));
        assert_eq!(disk.sync(file), Err(Fault::Io));
        assert_eq!(disk.sync(file), Ok(()));
        disk.cut(&mut Chance::new(1));
        assert_eq!(disk.file(file).unwrap(), b"");
    }

    #[test]
    fn after_its_end_a_disk_does_nothing() {
        let mut disk = Disk::new();
        let file = written(&mut disk, "a", b"x");
        disk.set_trap(Trap::new(Kind::Any, 1, Effect::Die));
        assert_eq!(disk.sync(file), Err(Fault::Io));
        assert_eq!(disk.change(file, Change::Resize(0)), Err(Fault::Io));
        assert!(disk.find(ROOT, OsStr::new("a")).is_err());
        disk.cut(&mut Chance::new(1));
        assert!(disk.make(ROOT, OsStr::new("b"), 0o600, false).is_ok());
    }
}
