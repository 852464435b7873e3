//! Tables: encodings, delimiters, workbooks and rejects.

use std::fs;
use std::path::PathBuf;

use encoding_rs::{GB18030, UTF_16LE};
use rust_xlsxwriter::{ExcelDateTime, Format as CellFormat, Workbook};

use super::*;

/// A file in a folder of its own.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn open(path: &Path, options: &Options, wanted: &[&str]) -> Result<Table> {
    let wanted: Vec<_> = wanted.iter().map(|name| (*name).to_owned()).collect();
    Table::open(path, options, &wanted, &Arc::default())
}

fn rows(table: Table) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    table.for_each(&mut |row| {
        rows.push(row);
        Ok(())
    })?;
    Ok(rows)
}

fn texts(row: &Row) -> Vec<&str> {
    row.cells.iter().collect()
}

const NAMES: &str =
    "姓名,课程\n阿依古丽·买买提,\"高等数学\n（上）\"\n𠮷野𬱖,\"他说\"\"好\"\"，走\"\n";

#[test]
fn names_survive_every_encoding_detected_or_told() {
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend_from_slice(NAMES.as_bytes());
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(NAMES.encode_utf16().flat_map(u16::to_le_bytes));
    let ascii = format!(
        "{}{}",
        "a,b\n".repeat(100_000),
        "龘,中文的内容在很后面才出现\n"
    );
    let cases: [(&str, Vec<u8>, &str); 4] = [
        ("utf-8", NAMES.as_bytes().to_vec(), "UTF-8"),
        ("utf-8 with a mark", marked, "UTF-8"),
        ("gb18030", GB18030.encode(NAMES).0.into_owned(), "gb18030"),
        ("utf-16", utf16, "UTF-16LE"),
    ];
    for (name, bytes, expected) in cases {
        let (_folder, path) = file("x.csv", &bytes);
        let table = open(&path, &Options::default(), &[]).unwrap();
        assert_eq!(table.style.encoding.to_string(), expected, "{name}");
        assert_eq!(table.header, ["姓名", "课程"], "{name}");
        let rows = rows(table).unwrap();
        assert_eq!(
            texts(&rows[0]),
            ["阿依古丽·买买提", "高等数学\n（上）"],
            "{name}"
        );
        assert_eq!(texts(&rows[1]), ["𠮷野𬱖", "他说\"好\"，走"], "{name}");
        assert_eq!(
            (rows[0].number, rows[1].number, rows.len()),
            (2, 3, 2),
            "{name}"
        );
    }
    let (_folder, path) = file("late.csv", &GB18030.encode(&ascii).0);
    assert_eq!(
        open(&path, &Options::default(), &[])
            .unwrap()
            .style
            .encoding
            .charset,
        GB18030
    );
    assert!("latin-1".parse::<Encoding>().is_err());
    let told = Options {
        encoding: "utf-16le".parse().ok(),
        ..Options::default()
    };
    assert_eq!(told.encoding.unwrap().charset, UTF_16LE);
}

#[test]
fn delimiters_are_detected_in_the_header() {
    for (text, delimiter) in [
        ("a,b\n1,2\n", b','),
        ("a;b\n1;2\n", b';'),
        ("a\tb\n1\t2\n", b'\t'),
        ("a\n1\n", b','),
    ] {
        let (_folder, path) = file("x.csv", text.as_bytes());
        let table = open(&path, &Options::default(), &[]).unwrap();
        assert_eq!(table.style.delimiter, delimiter, "{text:?}");
        assert_eq!(texts(&rows(table).unwrap()[0])[0], "1");
    }
}

#[test]
fn rows_that_cannot_be_read_are_told_and_do_not_stop_the_rest() {
    let (_folder, path) = file("x.csv", b"a,b\n1\n1,2,3\n\xe4\xbd\xa0,\xff\n4,5\n");
    let options = Options {
        encoding: Some(Encoding::UTF_8),
        ..Options::default()
    };
    let rows = rows(open(&path, &options, &[]).unwrap()).unwrap();
    let troubles: Vec<_> = rows.iter().map(|row| row.trouble).collect();
    let width = |found| Some(Trouble::Width { expected: 2, found });
    assert_eq!(troubles, [width(1), width(3), Some(Trouble::NotText), None]);
}

#[test]
fn a_quotation_mark_that_nobody_closes_ends_the_import_not_the_memory() {
    let mut bytes = b"a,b\n1,\"".to_vec();
    bytes.resize(ROW_BYTES_MAX as usize + (4 << 20), b'x');
    let (_folder, path) = file("x.csv", &bytes);
    let error = rows(open(&path, &Options::default(), &[]).unwrap()).unwrap_err();
    assert!(format!("{error:#}").contains("not closed"), "{error:#}");
}

#[test]
fn lines_of_json_give_the_texts_of_the_wanted_members() {
    let text = "{\"b\":\"x·y\",\"c\":[1],\"a\":310230199001010012}\n\nnot json\n{\"a\":1,\"a\":2}\n{\"a\":[1],\"b\":null}\n{\"a\":true,\"b\":2.5}\n";
    let (_folder, path) = file("x.ndjson", text.as_bytes());
    let rows = rows(open(&path, &Options::default(), &["a", "b"]).unwrap()).unwrap();
    assert_eq!(&texts(&rows[0])[..2], ["310230199001010012", "x·y"]);
    assert_eq!(
        (rows[1].number, rows[1].trouble),
        (3, Some(Trouble::NotJson))
    );
    assert_eq!(rows[2].trouble, Some(Trouble::NotJson));
    assert_eq!(rows[3].marks, [(0, Mark::NotAValue)]);
    assert_eq!(&texts(&rows[4])[..2], ["true", "2.5"]);
    assert_eq!(rows.len(), 5);
}

fn workbook(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut workbook = Workbook::new();
    workbook.add_worksheet().set_name("说明").unwrap();
    let sheet = workbook.add_worksheet().set_name("成绩").unwrap();
    for (column, name) in (0..).zip(["学号", "课程", "成绩", "日期"]) {
        sheet.write_string(0, column, name).unwrap();
    }
    sheet.write_string(1, 0, "00123").unwrap();
    sheet.write_string(1, 1, "高等数学").unwrap();
    sheet.write_number(1, 2, 87.5).unwrap();
    let date = ExcelDateTime::from_ymd(2025, 7, 1).unwrap();
    sheet
        .write_with_format(1, 3, &date, &CellFormat::new().set_num_format("yyyy-mm-dd"))
        .unwrap();
    sheet.write_number(3, 0, 123).unwrap();
    let moment = ExcelDateTime::from_ymd(2025, 7, 1)
        .unwrap()
        .and_hms(9, 30, 5)
        .unwrap();
    sheet
        .write_with_format(
            3,
            3,
            &moment,
            &CellFormat::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        )
        .unwrap();
    workbook.save(&path).unwrap();
    (folder, path)
}

#[test]
fn a_sheet_tells_dates_as_dates_and_marks_numbers() {
    let (_folder, path) = workbook("x.xlsx");
    let options = Options {
        sheet: Some("成绩".to_owned()),
        ..Options::default()
    };
    let table = open(&path, &options, &[]).unwrap();
    assert_eq!(table.header, ["学号", "课程", "成绩", "日期"]);
    let rows = rows(table).unwrap();
    assert_eq!(texts(&rows[0]), ["00123", "高等数学", "87.5", "2025-07-01"]);
    assert_eq!(rows[0].marks, [(2, Mark::Number)]);
    assert_eq!(texts(&rows[1]), ["123", "", "", "2025-07-01 09:30:05"]);
    assert_eq!(
        (rows[1].number, &rows[1].marks[..]),
        (4, &[(0, Mark::Number)][..])
    );
    let absent = Options {
        sheet: Some("x".to_owned()),
        ..Options::default()
    };
    let error = open(&path, &absent, &[]).err().expect("refused");
    assert!(format!("{error:#}").contains("说明, 成绩"), "{error:#}");
    let error = open(&path, &Options::default(), &[])
        .err()
        .expect("refused");
    assert!(format!("{error:#}").contains("empty"), "{error:#}");
}

fn reason(field: &str) -> Reject {
    Reject {
        field: field.into(),
        code: "MISSING".into(),
        message_zh: "必填".into(),
        message_en: "Needed".into(),
    }
}

fn reject_all(path: &Path, options: &Options, wanted: &[&str]) -> Result<PathBuf> {
    let table = open(path, options, wanted)?;
    let mut rejects = Rejects::of(path, &table.header, &table.style);
    for row in rows(table)? {
        rejects.write(&row, &[reason("学号"), reason("课程")])?;
    }
    rejects.finish()?;
    assert_eq!(rejects.by_code()["MISSING"], rejects.rows());
    Ok(rejects.path().to_owned())
}

#[test]
fn rejects_are_written_as_the_file_came() {
    let (_folder, path) = file(
        "成绩.csv",
        &GB18030.encode("学号;课程\n001;\"高\n数\"\n;𠮷\n").0,
    );
    let rejects = reject_all(&path, &Options::default(), &[]).unwrap();
    assert_eq!(rejects.file_name().unwrap(), "成绩.rejects.csv");
    let text = GB18030.decode(&fs::read(&rejects).unwrap()).0.into_owned();
    let expected = "学号;课程;row;field;code;message_zh;message_en\n\
                    001;\"高\n数\";2;\"学号; 课程\";\"MISSING; MISSING\";\"必填; 必填\";\"Needed; Needed\"\n\
                    ;𠮷;3;\"学号; 课程\";\"MISSING; MISSING\";\"必填; 必填\";\"Needed; Needed\"\n";
    assert_eq!(text, expected);
    // Refused again, the reasons are replaced; the file of the first run is not lost.
    let again = reject_all(&rejects, &Options::default(), &[]).unwrap();
    let header = |path: &Path| {
        GB18030
            .decode(&fs::read(path).unwrap())
            .0
            .lines()
            .next()
            .map(str::to_owned)
    };
    assert_eq!(header(&again), header(&rejects));
    reject_all(&path, &Options::default(), &[]).unwrap();
    assert!(path.with_file_name("成绩.rejects.1.csv").exists());
}

#[test]
fn rejected_rows_of_a_sheet_keep_numbers_as_numbers() {
    let (_folder, path) = workbook("x.xlsx");
    let options = Options {
        sheet: Some("成绩".to_owned()),
        ..Options::default()
    };
    let rejects = reject_all(&path, &options, &[]).unwrap();
    let table = open(&rejects, &Options::default(), &[]).unwrap();
    assert_eq!(table.header[4..], REASON_COLUMNS);
    let rows = rows(table).unwrap();
    assert_eq!(
        texts(&rows[1])[..5],
        ["123", "", "", "2025-07-01 09:30:05", "4"]
    );
    assert!(rows[1].marks.contains(&(0, Mark::Number)));
}

#[test]
fn rejected_lines_of_json_keep_members_that_nobody_asked_for() {
    let (_folder, path) = file(
        "x.ndjson",
        "{\"a\":\"001\",\"other\":[1]}\noops\n".as_bytes(),
    );
    let rejects = reject_all(&path, &Options::default(), &["a"]).unwrap();
    let text = fs::read_to_string(rejects).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&lines[0]["a"], &lines[0]["other"][0], &lines[0]["row"]),
        (&"001".into(), &1.into(), &"1".into())
    );
    assert_eq!(lines[1]["line"], "oops");
}
