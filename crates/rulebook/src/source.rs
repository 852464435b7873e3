//! The documents of a set as bytes, and the hash that addresses them.

use creditbank_domain::Digest32;
use creditbank_domain::rules::Wording;
use sha2::{Digest, Sha256};

use crate::finding::{Finding, code};
use crate::words::words;

/// Most bytes of one document: each is one entry of the ledger.
pub const DOCUMENT_BYTES_MAX: usize = 48 * 1024;
/// Most documents of a set.
pub const DOCUMENTS_MAX: usize = 512;
/// Most bytes of a document's name.
pub const NAME_BYTES_MAX: usize = 100;
/// What the hash of a set begins with.
const MANIFEST_PREFIX: &[u8] = b"creditbank/rule-set/v1\n";
/// What editors of one maker put before UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A document: exactly what is published, hashed and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// File name, `[a-z0-9][a-z0-9-]*.toml`.
    pub name: String,
    /// Its text: UTF-8 with line feeds alone, no byte order mark.
    pub text: String,
}

impl Source {
    /// A document as an editor saved it. A byte order mark is dropped and `CR LF` becomes `LF`, so that the same
    /// document has the same bytes whatever system it was written on; other carriage returns are left for [`read`]
    /// to refuse. Bytes that are not UTF-8 are refused with their line.
    ///
    /// [`read`]: crate::read
    pub fn from_file(name: impl Into<String>, bytes: &[u8]) -> Result<Self, Finding> {
        let name = name.into();
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
                let text = text.replace("\r\n", "\n");
                Ok(Self { name, text })
            }
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
                let message = words!(
                    "不是 UTF-8 文本；请以 UTF-8 编码另存",
                    "not UTF-8 text; save it again as UTF-8"
                );
                Err(Finding {
                    line: u32::try_from(line).unwrap_or(u32::MAX),
                    ..Finding::whole(code::DOCUMENT_BYTES, &name, message)
                })
            }
        }
    }
}

/// What a set consists of: each document's name and SHA-256, in the order of the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Names and digests, ascending by name.
    pub documents: Vec<(String, Digest32)>,
}

impl Manifest {
    /// What addresses the set: SHA-256 of `creditbank/rule-set/v1\n` and, for each document, the length of its name
    /// in two bytes (big-endian), the name and its digest.
    #[must_use]
    pub fn hash(&self) -> Digest32 {
        let mut hasher = Sha256::new_with_prefix(MANIFEST_PREFIX);
        for (name, digest) in &self.documents {
            let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
            hasher.update(length.to_be_bytes());
            hasher.update(name);
            hasher.update(digest);
        }
        hasher.finalize().into()
    }
}

/// The manifest of some documents, whatever their order.
#[must_use]
pub fn manifest(sources: &[Source]) -> Manifest {
    let mut documents: Vec<(String, Digest32)> = sources
        .iter()
        .map(|source| (source.name.clone(), Sha256::digest(&source.text).into()))
        .collect();
    documents.sort();
    Manifest { documents }
}

/// What is wrong with the documents before a word of them is read.
pub(crate) fn faults(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let count = sources.len();
    if count == 0 || count > DOCUMENTS_MAX {
        let message = words!(
            "规则集有 {count} 个文件，应为 1 至 {DOCUMENTS_MAX} 个",
            "the set has {count} documents; it must have 1 to {DOCUMENTS_MAX}"
        );
        findings.push(Finding::whole(code::DOCUMENT_COUNT, "", message));
    }
    let mut before = None;
    for source in sources {
        let name = source.name.as_str();
        if !is_name(name) {
            let message = words!(
                "文件名只能由小写字母、数字和连字符组成并以 .toml 结尾，最长 {NAME_BYTES_MAX} 字节",
                "a document's name consists of small letters, digits and hyphens and ends in .toml, at most \
                 {NAME_BYTES_MAX} bytes"
            );
            findings.push(Finding::whole(code::DOCUMENT_NAME, name, message));
        } else if before == Some(name) {
            let message = words!("两个文件同名", "two documents have this name");
            findings.push(Finding::whole(code::DOCUMENT_NAME, name, message));
        }
        before = Some(name);
        let bytes = source.text.len();
        if bytes > DOCUMENT_BYTES_MAX {
            let message = words!(
                "文件有 {bytes} 字节，上限 {DOCUMENT_BYTES_MAX}；请分成几个文件",
                "the document has {bytes} bytes, the most is {DOCUMENT_BYTES_MAX}; split it into several"
            );
            findings.push(Finding::whole(code::DOCUMENT_TOO_LARGE, name, message));
        }
        findings.extend(bad_bytes(source));
    }
    findings
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= NAME_BYTES_MAX
        && name.strip_suffix(".toml").is_some_and(|stem| {
            stem.bytes().next().is_some_and(is_plain)
                && stem.bytes().all(|c| is_plain(c) || c == b'-')
        })
}

/// A byte order mark or a carriage return: invisible, and two documents that look the same would differ by it.
fn bad_bytes(source: &Source) -> Option<Finding> {
    let finding = |line: usize, message: Wording| Finding {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        ..Finding::whole(code::DOCUMENT_BYTES, &source.name, message)
    };
    if source.text.starts_with(BYTE_ORDER_MARK) {
        let message = words!(
            "文件以字节顺序标记（BOM）开头；请存为不带 BOM 的 UTF-8",
            "the document begins with a byte order mark; save it as UTF-8 without one"
        );
        return Some(finding(1, message));
    }
    let at = source.text.find('\r')?;
    let line = 1 + source.text[..at].matches('\n').count();
    let message = words!(
        "此处有回车符（CR）；请只用换行符（LF）",
        "a carriage return stands here; use line feeds alone"
    );
    Some(finding(line, message))
}
