//! What can be wrong with a row before the bank's rules look at it, in words for a clerk.

use creditbank_domain::Refusal;
use creditbank_wire::status;

use crate::table::{Reject, Trouble};

/// What is wrong with the text of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The bank's own reason.
    Refused(Refusal),
    /// Not in the mapping's table of codes.
    NotInTable,
    /// A number where zeros at the front or digits beyond the fifteenth matter.
    NumberCell,
    /// An error value, or a list.
    NotAValue,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Problem {
    /// The reason, said of a field.
    pub(crate) fn at(self, field: &str) -> Reject {
        let told = |code: &str, zh: &str, en: &str| Reject {
            field: field.to_owned(),
            code: code.to_owned(),
            message_zh: zh.to_owned(),
            message_en: en.to_owned(),
        };
        match self {
            Self::Refused(refusal) => {
                let it = status::violation(&refusal.at(field));
                Reject {
                    field: it.field,
                    code: it.code,
                    message_zh: it.message_zh,
                    message_en: it.message_en,
                }
            }
            Self::NotInTable => told(
                "NOT_IN_MAPPING",
                "映射表中没有这个写法，请改正，或在映射文件的 map 中补充。",
                "The mapping's table has no such text; please correct it, or add it to the mapping's map.",
            ),
            Self::NumberCell => told(
                "NUMBER_CELL",
                "单元格是数字格式，开头的 0 和第 15 位以后的数字可能已丢失；请改为文本格式后重新填写，或在映射中写明 digits。",
                "The cell holds a number, so zeros at its front and digits after the 15th may be lost; please make it a \
                 text and type it again, or say digits in the mapping.",
            ),
            Self::NotAValue => told(
                "NOT_A_VALUE",
                "单元格是错误值或列表，不是单个值，请改正。",
                "The cell holds an error or a list where one value is needed; please correct it.",
            ),
        }
    }
}

/// Why a row could not be read at all.
pub(crate) fn unreadable(trouble: Trouble) -> Reject {
    let told = |code: &str, zh: String, en: String| Reject {
        field: String::new(),
        code: code.to_owned(),
        message_zh: zh,
        message_en: en,
    };
    match trouble {
        Trouble::Width { expected, found } => told(
            "ROW_WIDTH",
            format!("本行有 {found} 列，表头有 {expected} 列；请检查分隔符和引号。"),
            format!("The row has {found} cells and the header {expected}; please check delimiters and quotation marks."),
        ),
        Trouble::NotJson => told(
            "NOT_JSON",
            "本行不是 JSON 对象，或有重名成员。".to_owned(),
            "The line is not a JSON object, or has a name twice.".to_owned(),
        ),
        Trouble::NotText => told(
            "NOT_TEXT",
            "本行有无法识别的字符，文件编码可能不一致；请另存为 UTF-8 后重试。".to_owned(),
            "The row has bytes that are no text in the file's encoding; please save the file as UTF-8 again.".to_owned(),
        ),
    }
}

/// A reason of the import itself, not of the row's text.
pub(crate) fn no_key(institution: &str) -> Reject {
    Reject {
        field: "institution".to_owned(),
        code: "KEY_FILE_MISSING".to_owned(),
        message_zh: format!(
            "没有机构 {institution} 的密钥文件（{institution}.key），无法代其存入。"
        ),
        message_en: format!(
            "There is no key file {institution}.key, so nothing can be deposited for this institution."
        ),
    }
}

/// The bank's word on two rows of a batch under one id, in terms of the file: a batch means nothing to a clerk.
pub(crate) fn repeated_row() -> Reject {
    Reject {
        field: "external_id".to_owned(),
        code: "RECORD_ID_REPEATED_IN_BATCH".to_owned(),
        message_zh: "文件中另有一行与本行编号（或识别列）相同而内容不同，请核对后只保留正确的一行。".to_owned(),
        message_en: "Another row of the file has the same id (or identifying columns) and other content; please keep \
                     the right one alone."
            .to_owned(),
    }
}
