//! Words that no file may hold: places of one machine, hosts of one network.

use super::{Finding, Tree};

/// Written in two halves, so that this file does not hold them.
const FOLDERS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];
const HOSTS: &[&str] = &[
    concat!("crates.", "io-index"),
    concat!("deb.", "debian.org"),
    concat!("files.python", "hosted.org"),
    concat!("index.", "crates.io"),
    concat!("py", "pi.org"),
    concat!("registry.", "npmjs.org"),
    concat!("static.", "crates.io"),
];

/// Lock files are cargo's own writing.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let ours = tree
        .files
        .iter()
        .filter(|file| !file.path.ends_with(".lock"));
    let lines = ours.flat_map(|file| (1..).zip(file.text.lines()).map(move |line| (file, line)));
    lines
        .filter_map(|(file, (number, line))| {
            let (word, remedy) = forbidden(line)?;
            Some(Finding::at(
                &file.path,
                number,
                format!("names {word}"),
                remedy,
            ))
        })
        .collect()
}

fn forbidden(line: &str) -> Option<(&'static str, &'static str)> {
    let host = HOSTS.iter().find(|host| line.contains(**host));
    let folder = || FOLDERS.iter().find(|folder| starts_a_path(line, folder));
    host.map(|host| (*host, "name the package, not where it is fetched"))
        .or_else(|| folder().map(|folder| (*folder, "make the path relative or an argument")))
}

/// Whether the folder stands in the line as the beginning of a path, not in the middle of one.
fn starts_a_path(line: &str, folder: &str) -> bool {
    let goes_on =
        |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || "._-})>*".contains(c));
    line.match_indices(folder)
        .any(|(at, _)| !goes_on(&line[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::told;

    #[test]
    fn a_place_of_one_machine_is_found() {
        let folder = FOLDERS[0];
        let host = HOSTS[4];
        let cases: &[(&str, String, Vec<String>)] = &[
            (
                "a.md",
                format!("see\n`{folder}main`"),
                vec![format!("a.md:2: names {folder}")],
            ),
            (
                "a.md",
                format!("{folder}main"),
                vec![format!("a.md:1: names {folder}")],
            ),
            (
                "a.md",
                format!("a{folder}b ../x{folder}y ..{folder}z"),
                vec![],
            ),
            (
                "a.toml",
                format!("https://{host}/x"),
                vec![format!("a.toml:1: names {host}")],
            ),
            ("Cargo.lock", format!("https://{host}/x"), vec![]),
            ("a.md", "the tile /root, the word work".into(), vec![]),
        ];
        for (path, text, expected) in cases {
            assert_eq!(
                told(&check(&Tree::of(&[(path, text)]))),
                *expected,
                "{text}"
            );
        }
    }
}
