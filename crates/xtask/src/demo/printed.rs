//! How the demo shows what commands say: inside 100 columns, long parts cut, Chinese characters two columns wide.

/// Columns of the terminal that the demo is written for.
const COLUMNS: usize = 100;
/// What stands before everything that a command says.
const MARGIN: &str = "  ";

/// The heading that the commands give to how an amount comes about.
const ARITHMETIC: &str = "依据与计算";

/// How much of what a command says is shown; what is left out is said.
#[derive(Clone, Copy)]
pub(super) enum Show {
    /// Everything.
    All,
    /// Everything, each line as wide as it is: tables.
    Wide,
    /// So many lines from the first.
    First(usize),
    /// So many lines under each heading, the last number for those that tell the arithmetic.
    UnderHeadings(usize, usize),
    /// The lines that begin with one of these names.
    Only(&'static [&'static str]),
    /// Nothing.
    Nothing,
}

/// A command as one types it: what does not fit a line goes on in the next. A flag stays with its value.
pub(super) fn command(words: &[String]) -> String {
    let is_flag = |word: &String| word.starts_with("--");
    let mut lines = vec![String::from("$ creditbank")];
    for piece in words.chunk_by(|one, next| is_flag(one) && !is_flag(next)) {
        let piece = piece.join(" ");
        let last = lines.last_mut().expect("there is a first line");
        if width(last) + 1 + width(&piece) + 2 > COLUMNS {
            last.push_str(" \\");
            lines.push(format!("    {piece}"));
        } else {
            last.push(' ');
            last.push_str(&piece);
        }
    }
    lines.join("\n")
}

/// What a command said, as it is shown.
pub(super) fn said(text: &str, show: Show) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut shown = String::new();
    let mut put = |line: &str| {
        shown.push_str(&wrapped(line));
        shown.push('\n');
    };
    match show {
        Show::Nothing => {}
        Show::All => lines.into_iter().for_each(put),
        Show::Wide => lines.into_iter().for_each(|line| {
            shown.push_str(&format!("{}\n", format!("{MARGIN}{line}").trim_end()))
        }),
        Show::Only(names) => {
            let is_named = |line: &&str| names.iter().any(|name| line.starts_with(name));
            lines.into_iter().filter(is_named).for_each(put);
        }
        Show::First(most) => {
            let (first, rest) = lines.split_at(most.min(lines.len()));
            first.iter().copied().for_each(&mut put);
            left_out(rest.len(), "").iter().for_each(|line| put(line));
        }
        Show::UnderHeadings(usual, arithmetic) => {
            let (mut most, mut under, mut left) = (usual, 0, 0);
            for line in lines {
                let is_listed = line.starts_with(' ');
                if !is_listed {
                    left_out(left, MARGIN).iter().for_each(|line| put(line));
                    (under, left) = (0, 0);
                    most = if line == ARITHMETIC {
                        arithmetic
                    } else {
                        usual
                    };
                }
                under += usize::from(is_listed);
                match under > most {
                    true => left += 1,
                    false => put(line),
                }
            }
            left_out(left, MARGIN).iter().for_each(|line| put(line));
        }
    }
    shown
}

/// Rows in columns, the first row being the heading.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| width(&row[column]));
        cells.max().unwrap_or_default()
    });
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let cells = cells.map(|(cell, most)| format!("{cell}{}", " ".repeat(most - width(cell))));
        let text = cells.collect::<Vec<_>>().join("  ");
        format!("{MARGIN}{}\n", text.trim_end())
    };
    rows.iter().map(line).collect()
}

/// How many columns a text takes.
fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

fn columns(c: char) -> usize {
    if u32::from(c) >= 0x1100 && !('\u{2010}'..='\u{203a}').contains(&c) {
        2
    } else {
        1
    }
}

fn left_out(lines: usize, indent: &str) -> Option<String> {
    (lines > 0).then(|| format!("{indent}…… 另有 {lines} 行 ({lines} more)"))
}

/// A line inside the columns, its continuation indented as far as its text and two columns more. It breaks at blanks
/// and between Chinese characters, never before a punctuation mark.
fn wrapped(line: &str) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let margin = format!("\n{MARGIN}{}  ", " ".repeat(indent));
    let mut out = String::from(MARGIN);
    let mut place = MARGIN.len();
    for piece in pieces(line) {
        let wide = width(piece);
        if place + wide > COLUMNS && !piece.trim().is_empty() {
            out.truncate(out.trim_end().len());
            out.push_str(&margin);
            place = margin.len() - 1;
        }
        out.push_str(piece);
        place += wide;
    }
    out.truncate(out.trim_end().len());
    out
}

/// A line in pieces that are never broken.
fn pieces(line: &str) -> Vec<&str> {
    let mut starts = vec![0];
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        let is_wide = columns(c) == 2;
        let is_break = (before == ' ' && c != ' ') || is_wide || columns(before) == 2;
        if at > 0 && is_break && c != ' ' && !CLOSING.contains(c) && !OPENING.contains(before) {
            starts.push(at);
        }
        before = c;
    }
    starts.push(line.len());
    starts.windows(2).map(|it| &line[it[0]..it[1]]).collect()
}

/// What no line begins with.
const CLOSING: &str = "，。、：；）》”！？…,.;:)]";
/// What no line ends with.
const OPENING: &str = "（《“([";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_goes_on_in_the_next_line() {
        let words = |count: usize| vec!["0123456789".to_owned(); count];
        assert_eq!(command(&words(1)), "$ creditbank 0123456789");
        let long = command(&words(12));
        assert_eq!(long.matches(" \\\n    ").count(), 1, "{long}");
        assert!(long.lines().all(|line| width(line) <= COLUMNS), "{long}");
        let flag = [words(7), vec!["--key".into(), "0123456789".into()]].concat();
        assert!(command(&flag).ends_with("\\\n    --key 0123456789"));
    }

    #[test]
    fn a_sentence_breaks_inside_the_columns_and_not_before_a_mark() {
        let sentence = format!("  {}，{}。", "学".repeat(46), "分".repeat(60));
        let shown = said(&sentence, Show::All);
        assert_eq!(shown.lines().count(), 3, "{shown}");
        for line in shown.lines() {
            assert!(width(line) <= COLUMNS + 2, "{line}");
            assert!(!line.trim_start().starts_with(['，', '。']), "{line}");
        }
        let joined: String = shown.lines().map(str::trim).collect();
        assert_eq!(joined, sentence.trim());
    }

    #[test]
    fn what_is_left_out_is_said() {
        let text = "认定\n  一\n  二\n  三\n还差\n  四\n";
        assert_eq!(said(text, Show::Nothing), "");
        assert_eq!(said(text, Show::All).lines().count(), 6);
        let first = said(text, Show::First(2));
        assert_eq!(
            first.lines().collect::<Vec<_>>(),
            ["  认定", "    一", "  …… 另有 4 行 (4 more)"]
        );
        let none = said("依据与计算\n  五\n", Show::UnderHeadings(2, 0));
        assert!(!none.contains('五') && none.contains("另有 1 行"), "{none}");
        let under: Vec<_> = said(text, Show::UnderHeadings(2, 0))
            .lines()
            .map(|line| line.trim().to_owned())
            .collect();
        let left = "…… 另有 1 行 (1 more)";
        assert_eq!(under, ["认定", "一", "二", left, "还差", "四"]);
    }

    #[test]
    fn columns_stand_under_each_other() {
        let row = |one: &str, two: &str| [one.to_owned(), two.to_owned()];
        let shown = table(&[row("学习者", "学分"), row("甲", "2.5")]);
        assert_eq!(shown, "  学习者  学分\n  甲      2.5\n");
    }
}
