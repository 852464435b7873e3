//! A transcript of made-up content, held against readers that we did not write.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use jiff::civil::date;

use super::fonts::{Fonts, FontsError};
use super::printable::printable;
use super::sheet::{
    Group, Holder, Languages, Pair, Record, RecordSet, SET_MAX, Totals, Transcript,
};
use super::typeset::{Unprintable, render};

/// Where Debian has the fonts.
const FOLDER: &str = "/usr/share/fonts";
const CATEGORIES: [(&str, &str); 3] = [
    ("学历教育课程学分", "Degree course credits"),
    ("老年教育", "Elder education"),
    ("人文行走", "Humanities walks"),
];
/// Names as institutions write them: long, with words that have no place to break, with what looks like markup.
const NAMES: [&str; 6] = [
    "高等数学（上）",
    "书法入门与欣赏",
    "苏州河人文行走：从外白渡桥到四行仓库，沿河十二处学习点的城市记忆",
    "Women’s Health & “Ageing Well”",
    "DonaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftPrüfungMitZusatz",
    "#panic(\"x\") *粗体* $x^2$ [列表] <标签> \\ //注释 @引用",
];

static FONTS: LazyLock<Option<Fonts>> = LazyLock::new(|| match Fonts::read(Path::new(FOLDER)) {
    Ok(fonts) => Some(fonts),
    Err(FontsError::Missing { file, .. }) => {
        let is_ci = told("CI").is_some();
        assert!(!is_ci, "CI has no {file}: run `cargo xtask test`");
        println!("SKIPPED: there is no {file}; `cargo xtask test` installs it");
        None
    }
    Err(error) => panic!("{error}"),
});

/// What the task runner tells the tests.
#[expect(
    clippy::disallowed_methods,
    reason = "the home of what the task runner tells the tests"
)]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn record(at: usize) -> Record {
    let grades = [
        ("优秀", "excellent"),
        ("86.5", "86.5"),
        ("合格", "pass"),
        ("", ""),
    ];
    let is_in_force = at % 7 != 3;
    let (zh, en) = grades[at % grades.len()];
    Record {
        commitment: [7; 32],
        leaf_index: 1_000 + 37 * at as u64,
        name: NAMES[at % NAMES.len()].to_owned(),
        institution: ["上海开放大学", "Shanghai Open University"][at % 2].to_owned(),
        completed_on: format!("20{:02}-0{}-15", 10 + at % 15, 1 + at % 9),
        credits_hundredths: (!at.is_multiple_of(3)).then_some(250),
        hours_hundredths: (!at.is_multiple_of(4)).then_some(1_600),
        grade: Pair::new(zh, en),
        state: if is_in_force {
            Pair::new("有效", "In force")
        } else {
            Pair::new("存疑", "Disputed")
        },
        is_in_force,
    }
}

fn sample(records: usize, languages: Languages) -> Transcript {
    let mut groups: Vec<Group> = Vec::new();
    for (at, (zh, en)) in CATEGORIES.iter().enumerate() {
        let of_group: Vec<Record> = (at..records)
            .step_by(CATEGORIES.len())
            .map(record)
            .collect();
        let set = |(number, records): (usize, &[Record])| RecordSet {
            records: records.to_vec(),
            link: format!(
                "https://bank.example/s/{at}-{number}-tVh0uFz2mYqk7Pb3ZsXcWe8Ra6LdJgNiQoT1yHvBxEw"
            ),
        };
        if !of_group.is_empty() {
            groups.push(Group {
                category: Pair::new(*zh, *en),
                sets: of_group.chunks(SET_MAX).enumerate().map(set).collect(),
            });
        }
    }
    Transcript {
        languages,
        bank: Pair::new(
            "长三角学分银行（示范）",
            "Delta Credit Bank (demonstration)",
        ),
        holder: Holder {
            name: "欧阳·帕提古丽".to_owned(),
            code: "1234 5678 1234 5678".to_owned(),
            identities: vec![(
                Pair::new("居民身份证", "Resident identity card"),
                "**************002X".to_owned(),
            )],
        },
        printed_on: date(2026, 11, 26),
        log_origin: "bank.example/log".to_owned(),
        log_size: 5_012_345,
        groups,
        verify_link: "https://bank.example/verify".to_owned(),
        shared_until: Some(date(2027, 11, 25)),
    }
}

/// A folder for what a test writes; build output, to be looked at.
fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("creditbank-transcript-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a file");
    path
}

/// Has Python, poppler, qpdf and ZXing read a transcript: it is tagged, its fonts are embedded, these texts come back in
/// this order, and every QR code holds its link. Returns whether there was a Python to ask.
fn is_read_by_others(name: &str, transcript: &Transcript, fonts: &Fonts, texts: &[&str]) {
    let pdf = render(transcript, fonts).expect("a PDF");
    let Some(python) = told("CREDITBANK_PYTHON") else {
        let is_ci = told("CI").is_some();
        assert!(!is_ci, "CI has no Python: run `cargo xtask test`");
        println!("SKIPPED: CREDITBANK_PYTHON is not set; `cargo xtask test` sets it");
        return;
    };
    let sets = transcript.groups.iter().flat_map(|it| &it.sets);
    let records = sets.clone().flat_map(|it| &it.records);
    let names = records.map(|it| printable(&it.name, fonts).text);
    let expected = serde_json::json!({
        "title": "学习成果证明",
        "lang": if transcript.languages == Languages::En { "en" } else { "zh-CN" },
        "links": sets.map(|it| &it.link).collect::<Vec<_>>(),
        "texts": texts,
        "names": names.collect::<Vec<_>>(),
    });
    let pdf = written(&format!("{name}.pdf"), &pdf);
    let expected = written(&format!("{name}.json"), expected.to_string().as_bytes());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(python)
        .arg(root.join("tests/python/transcript.py"))
        .args([&pdf, &expected])
        .output()
        .expect("the Python of the tests runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", pdf.display());
    std::fs::remove_file(pdf).expect("a file that was just written");
    std::fs::remove_file(expected).expect("a file that was just written");
}

#[test]
fn a_transcript_in_both_languages_is_read_by_others() {
    let Some(fonts) = &*FONTS else { return };
    let texts = [
        "长三角学分银行（示范）",
        "学习成果证明",
        "Transcript of Learning Outcomes",
        "姓名",
        "欧阳·帕提古丽",
        "1234 5678 1234 5678",
        "002X",
        "2026-11-26",
        "学分汇总",
        "学历教育课程学分",
        "老年教育",
        "人文行走",
        "学习成果",
        "学历教育课程学分",
        "老年教育",
        "人文行走",
        "如何验证",
        "How to verify",
        "2027-11-25",
    ];
    let transcript = sample(20, Languages::Both);
    is_read_by_others("both", &transcript, fonts, &texts);
}

#[test]
fn a_transcript_of_four_hundred_records_is_read_by_others() {
    let Some(fonts) = &*FONTS else { return };
    let texts = [
        "学习成果证明",
        "第 1 组，共 3 组",
        "第 3 组，共 3 组",
        "如何验证",
    ];
    let transcript = sample(400, Languages::Zh);
    is_read_by_others("long", &transcript, fonts, &texts);
}

#[test]
fn one_record_and_none_are_transcripts_too() {
    let Some(fonts) = &*FONTS else { return };
    let texts = [
        "Transcript of Learning Outcomes",
        "1 record, no. 1000",
        "Page 1 of",
    ];
    is_read_by_others("one", &sample(1, Languages::En), fonts, &texts);
    let texts = ["学习成果", "没有可以列出的记录。", "如何验证"];
    is_read_by_others("none", &sample(0, Languages::Zh), fonts, &texts);
}

#[test]
fn equal_content_gives_equal_bytes() {
    let Some(fonts) = &*FONTS else { return };
    let transcript = sample(30, Languages::Both);
    let first = render(&transcript, fonts).expect("a PDF");
    assert!(first == render(&transcript, fonts).expect("a PDF"));
    let mut later = transcript;
    later.printed_on = date(2026, 11, 27);
    assert!(first != render(&later, fonts).expect("a PDF"));
}

#[test]
fn a_rare_name_is_printed_and_one_without_a_glyph_refused() {
    let Some(fonts) = &*FONTS else { return };
    let mut transcript = sample(1, Languages::Zh);
    // Of the first is in Noto Serif, of the second in Noto Sans alone, of the third in Hanazono alone.
    for name in ["张䶮", "张\u{20024}", "张\u{20001}"] {
        name.clone_into(&mut transcript.holder.name);
        is_read_by_others("rare", &transcript, fonts, &["姓名", name]);
    }
    // Extension H, and a letter of another script.
    for name in ["张\u{3127b}", "ꡀ"] {
        name.clone_into(&mut transcript.holder.name);
        assert_eq!(render(&transcript, fonts), Err(Unprintable::Glyph));
    }
}

#[test]
fn an_institutions_slip_keeps_nobody_from_a_transcript() {
    let Some(fonts) = &*FONTS else { return };
    let mut transcript = sample(1, Languages::Zh);
    let record = &mut transcript.groups[0].sets[0].records[0];
    "太极拳\u{1fae0}入门".clone_into(&mut record.name);
    let texts = ["太极拳〔U+1FAE0〕入门", "字库没有的字符"];
    is_read_by_others("slip", &transcript, fonts, &texts);
}

#[test]
fn what_turns_a_line_around_is_left_out() {
    let Some(fonts) = &*FONTS else { return };
    for (written, shown) in [
        ("不\u{202e}格合\u{202c}", "不格合"),
        ("a\u{2066}b\u{2069}\u{feff}", "ab"),
        ("一\u{2028}二", "一 二"),
        ("\u{e000}", "〔U+E000〕"),
        ("欧阳·帕提古丽", "欧阳·帕提古丽"),
        ("葛\u{e0100}", "葛\u{e0100}"),
    ] {
        assert_eq!(printable(written, fonts).text, shown);
    }
}

#[test]
fn totals_count_what_is_in_force() {
    let record = |credits, is_in_force| Record {
        credits_hundredths: credits,
        hours_hundredths: Some(100),
        is_in_force,
        ..record(0)
    };
    let set = |records| RecordSet {
        records,
        link: String::new(),
    };
    let group = Group {
        category: Pair::default(),
        sets: vec![
            set(vec![record(Some(250), true), record(Some(100), false)]),
            set(vec![record(None, true)]),
        ],
    };
    let totals = Totals {
        records: 2,
        credits_hundredths: 250,
        hours_hundredths: 200,
    };
    assert_eq!(group.totals(), totals);
}

#[test]
fn a_folder_without_the_fonts_is_told() {
    let empty = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = Fonts::read(&empty).err();
    assert!(matches!(read, Some(FontsError::Missing { .. })), "{read:?}");
}
