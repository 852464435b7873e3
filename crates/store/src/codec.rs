//! Bytes of the rows: fixed layouts, big-endian, nothing self-describing. Readers return `None` on any damage.

use creditbank_domain::LeafIndex;

/// Appends fields.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A field of at most 65,535 bytes, with its length.
    pub(crate) fn short(&mut self, bytes: &[u8]) {
        self.u16(u16::try_from(bytes.len()).expect("limits keep fields under 64 KiB"));
        self.bytes(bytes);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Takes fields off the front.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn short(&mut self) -> Option<&'a [u8]> {
        let len = usize::from(self.u16()?);
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    /// Everything that is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// `Some` when nothing is left.
    pub(crate) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// Size and root of the committed log, and the time of its last leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadRow {
    /// Leaves in the log.
    pub size: u64,
    /// RFC 6962 root at that size.
    pub root: [u8; 32],
    /// Milliseconds since the epoch; later leaves are never before it.
    pub deposited_at_ms: u64,
}

impl HeadRow {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(48);
        out.u64(self.size);
        out.bytes(&self.root);
        out.u64(self.deposited_at_ms);
        out.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader::new(bytes);
        let head = Self {
            size: input.u64()?,
            root: input.array()?,
            deposited_at_ms: input.u64()?,
        };
        input.end().map(|()| head)
    }
}

/// Where a record id leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdRow {
    /// Its leaf.
    pub index: LeafIndex,
    /// Its learner; 0 for statements and erased learners.
    pub learner: u64,
}

impl IdRow {
    pub(crate) fn encode(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.index.0.to_be_bytes());
        bytes[8..].copy_from_slice(&self.learner.to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader::new(bytes);
        let row = Self {
            index: LeafIndex(input.u64()?),
            learner: input.u64()?,
        };
        input.end().map(|()| row)
    }
}

/// What later records did to one record. Absent while nothing did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateRow {
    /// The amendment that replaced it.
    pub amended_by: Option<LeafIndex>,
    /// The revocation that withdrew it.
    pub revoked_by: Option<LeafIndex>,
    /// The confirmation that settled a doubt.
    pub confirmed_by: Option<LeafIndex>,
}

impl StateRow {
    fn encode(&self, out: &mut Writer) {
        for index in [self.amended_by, self.revoked_by, self.confirmed_by] {
            out.u64(index.map_or(u64::MAX, |index| index.0));
        }
    }

    fn decode(input: &mut Reader<'_>) -> Option<Self> {
        let mut next = || {
            input
                .u64()
                .map(|index| (index != u64::MAX).then_some(LeafIndex(index)))
        };
        Some(Self {
            amended_by: next()?,
            revoked_by: next()?,
            confirmed_by: next()?,
        })
    }
}

/// The changed records of one learner, by leaf index: one row, because nearly every learner has none.
pub(crate) fn encode_states(states: &[(LeafIndex, StateRow)]) -> Vec<u8> {
    let mut out = Writer::with_capacity(states.len() * 32);
    for (target, state) in states {
        out.u64(target.0);
        state.encode(&mut out);
    }
    out.into_bytes()
}

pub(crate) fn decode_states(bytes: &[u8]) -> Option<Vec<(LeafIndex, StateRow)>> {
    let mut input = Reader::new(bytes);
    let mut states = Vec::with_capacity(bytes.len() / 32);
    while input.end().is_none() {
        states.push((LeafIndex(input.u64()?), StateRow::decode(&mut input)?));
    }
    Some(states)
}

/// Where an application stands, by its leaf: the work queue. What it says lies in the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplicationRow {
    /// Whose; 0 once the learner is erased.
    pub learner: u64,
    /// Record kind of the last step that changed where it stands.
    pub kind: u8,
    /// When that step was deposited, in milliseconds since the epoch.
    pub since_ms: u64,
    /// How many steps followed the application.
    pub steps: u32,
}

impl ApplicationRow {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(24);
        out.u64(self.learner);
        out.u8(self.kind);
        out.u64(self.since_ms);
        out.bytes(&self.steps.to_be_bytes());
        out.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader::new(bytes);
        let row = Self {
            learner: input.u64()?,
            kind: input.u8()?,
            since_ms: input.u64()?,
            steps: u32::from_be_bytes(input.array()?),
        };
        input.end().map(|()| row)
    }
}

/// A learner, without the data key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnerRow {
    /// Random name of the learner in an erasure entry.
    pub handle: [u8; 16],
    /// The learner this code was merged into.
    pub merged_into: Option<u64>,
    /// Codes that were merged into this one.
    pub merged: Vec<u64>,
    /// HMAC digests of the learner's identities: what must go with the learner.
    pub identities: Vec<[u8; 32]>,
    /// Sealed name and document.
    pub sealed_profile: Vec<u8>,
}

impl LearnerRow {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(96 + self.sealed_profile.len());
        out.bytes(&self.handle);
        out.u64(self.merged_into.unwrap_or(0));
        out.u16(u16::try_from(self.merged.len()).expect("few"));
        self.merged.iter().for_each(|code| out.u64(*code));
        out.u16(u16::try_from(self.identities.len()).expect("few"));
        self.identities.iter().for_each(|digest| out.bytes(digest));
        out.short(&self.sealed_profile);
        out.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader::new(bytes);
        let handle = input.array()?;
        let merged_into = Some(input.u64()?).filter(|code| *code != 0);
        let merged = (0..input.u16()?)
            .map(|_| input.u64())
            .collect::<Option<_>>()?;
        let identities = (0..input.u16()?)
            .map(|_| input.array())
            .collect::<Option<_>>()?;
        let sealed_profile = input.short()?.to_vec();
        input.end().map(|()| Self {
            handle,
            merged_into,
            merged,
            identities,
            sealed_profile,
        })
    }
}
