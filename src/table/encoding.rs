//! From bytes to text: UTF-8 (with or without its mark), UTF-16 with its mark, GB18030; detected or told.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use anyhow::{Result, bail};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes looked at beyond the first that is not ASCII.
const DETECT_BYTES: usize = 1 << 20;
const BLOCK_BYTES: usize = 64 << 10;

/// How a file is encoded, and whether it starts with a byte order mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoding {
    pub(crate) charset: &'static encoding_rs::Encoding,
    pub(crate) has_mark: bool,
}

impl Encoding {
    /// UTF-8 without a mark.
    pub(crate) const UTF_8: Self = Self {
        charset: UTF_8,
        has_mark: false,
    };

    /// Looks at a file. Ends with an error where it is neither UTF nor GB18030: the user must say.
    pub(crate) fn detect(path: &Path) -> Result<Self> {
        let mut file = File::open(path)?;
        let mut block = vec![0; BLOCK_BYTES];
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        let mut seen = 0;
        let mut is_first = true;
        loop {
            let count = file.read(&mut block)?;
            let bytes = &block[..count];
            if is_first && let Some((charset, _)) = encoding_rs::Encoding::for_bom(bytes) {
                return Ok(Self {
                    charset,
                    has_mark: true,
                });
            }
            is_first = false;
            if seen > 0 || !bytes.is_ascii() {
                seen += count;
            }
            let is_last = count == 0 || seen >= DETECT_BYTES;
            // Pure ASCII says nothing about what follows, so it is read over at the speed of the disk.
            if seen > 0 || is_last {
                detector.feed(bytes, count == 0);
            }
            if is_last {
                break;
            }
        }
        match detector.guess(Some(b"cn"), Utf8Detection::Allow) {
            charset if charset == UTF_8 || seen == 0 => Ok(Self::UTF_8),
            charset if charset == GBK || charset == GB18030 => Ok(Self {
                charset: GB18030,
                has_mark: false,
            }),
            other => bail!(
                "its encoding looks like {}; say which it is with --encoding utf-8 or --encoding gb18030",
                other.name()
            ),
        }
    }

    /// A reader of UTF-8 text. Bytes that are no text become U+FFFD.
    pub(crate) fn decode<R: Read>(self, inner: R) -> Decoded<R> {
        let decoder = self.charset.new_decoder_with_bom_removal();
        Decoded {
            inner,
            decoder,
            raw: vec![0; BLOCK_BYTES],
            at: 0,
            end: 0,
            is_last: false,
            is_done: false,
        }
    }

    /// The bytes of a text.
    pub(crate) fn encode(self, text: &str) -> Vec<u8> {
        if self.charset == UTF_16LE {
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else if self.charset == UTF_16BE {
            text.encode_utf16().flat_map(u16::to_be_bytes).collect()
        } else {
            self.charset.encode(text).0.into_owned()
        }
    }

    /// What a file of this encoding starts with.
    pub(crate) fn mark(self) -> Vec<u8> {
        if self.has_mark {
            self.encode("\u{feff}")
        } else {
            Vec::new()
        }
    }
}

/// The names that the command line takes: utf-8, gb18030, utf-16le, utf-16be.
impl FromStr for Encoding {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let charset = match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => UTF_8,
            "gb18030" | "gbk" | "gb2312" => GB18030,
            "utf-16le" => UTF_16LE,
            "utf-16be" => UTF_16BE,
            _ => return Err("known are utf-8, gb18030, utf-16le and utf-16be".to_owned()),
        };
        Ok(Self {
            charset,
            has_mark: false,
        })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.charset.name())
    }
}

/// Reads text of some encoding as UTF-8.
pub(crate) struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// What of `raw` is not decoded yet.
    at: usize,
    end: usize,
    /// Whether the inner reader ended, and whether the decoder was told.
    is_last: bool,
    is_done: bool,
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.is_done {
            if self.at == self.end && !self.is_last {
                self.end = self.inner.read(&mut self.raw)?;
                self.at = 0;
                self.is_last = self.end == 0;
            }
            let (result, read, written, _) =
                self.decoder
                    .decode_to_utf8(&self.raw[self.at..self.end], buffer, self.is_last);
            self.at += read;
            self.is_done = self.is_last && result == encoding_rs::CoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
            if result == encoding_rs::CoderResult::OutputFull {
                return Err(io::Error::other("the buffer holds no character"));
            }
        }
        Ok(0)
    }
}
