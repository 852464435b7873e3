//! Bars, drawn as SVG by the server: whole numbers, no script, no style of their own. The table beside them says the same,
//! so readers of screens skip them.

use std::fmt::Write as _;

/// Name, length, and what is written at the end. Without a length the figure is suppressed.
pub(super) type Bar = (String, Option<i64>, String);

const ROW: usize = 28;
const BAR_X: i64 = 134;
const BAR_WIDTH: i64 = 180;
const TEXT_ROOM: i64 = 106;
/// Most bars of a chart; more are told by the table alone.
const BARS_MAX: usize = 24;
/// Most characters of a name.
const NAME_CHARS: usize = 8;

/// A chart; empty where there is nothing to draw.
pub(super) fn bars(bars: &[Bar]) -> String {
    let longest = bars.iter().filter_map(|(_, length, _)| *length).max();
    let Some(longest) = longest.filter(|it| *it > 0 && bars.len() <= BARS_MAX) else {
        return String::new();
    };
    let height = bars.len() * ROW;
    let width = BAR_X + BAR_WIDTH + TEXT_ROOM;
    let mut svg = format!(
        r#"<svg class="bars" viewBox="0 0 {width} {height}" width="{width}" height="{height}" aria-hidden="true" focusable="false">"#
    );
    for (row, (name, length, said)) in bars.iter().enumerate() {
        let y = row * ROW;
        let long = length.unwrap_or(0).max(0) * BAR_WIDTH / longest;
        let (text_y, bar_y, bar_height) = (y + 19, y + 5, ROW - 10);
        let (name_x, said_x) = (BAR_X - 8, BAR_X + long + 8);
        let (name, said) = (escaped(&short(name)), escaped(said));
        let _ = write!(
            svg,
            r#"<text class="bar-name" x="{name_x}" y="{text_y}">{name}</text><rect class="bar" x="{BAR_X}" y="{bar_y}" width="{long}" height="{bar_height}"/><text class="bar-said" x="{said_x}" y="{text_y}">{said}</text>"#
        );
    }
    svg.push_str("</svg>");
    svg
}

fn short(name: &str) -> String {
    match name.chars().count() {
        0..=NAME_CHARS => name.to_owned(),
        _ => name.chars().take(NAME_CHARS - 1).chain(['…']).collect(),
    }
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::bars;

    #[test]
    fn bars_are_as_long_as_their_figures_and_names_are_text() {
        let bar = |name: &str, length| (name.to_owned(), length, "x".to_owned());
        let svg = bars(&[bar("<b>", Some(50)), bar("两", Some(100)), bar("三", None)]);
        for part in [
            "&lt;b&gt;",
            r#"width="90" height="18""#,
            r#"width="180" height="18""#,
            r#"width="0" height="18""#,
        ] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        assert!(!svg.contains("<b>"));
        assert_eq!(bars(&[bar("none", None)]), "");
        assert_eq!(bars(&[]), "");
    }
}
