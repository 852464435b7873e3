//! Writing of the canonical bytes that both banks hash: fixed widths, big-endian, texts behind their length.

/// Bytes under construction.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new(version: u8) -> Self {
        let mut bytes = Vec::with_capacity(320);
        bytes.push(version);
        Self(bytes)
    }

    pub(super) fn u8(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    pub(super) fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    pub(super) fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Bytes of a width that the format fixes.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A text behind its length.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let len =
            u16::try_from(text.len()).expect("texts of a transfer are bounded where they come in");
        self.u16(len).raw(text.as_bytes())
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}
