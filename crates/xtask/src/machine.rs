//! What this machine offers: the sole reader of the environment and the file system's fixed places.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this package lies two folders below the root")
}

/// Where cargo builds, and where our own tools are kept.
pub(crate) fn target() -> PathBuf {
    variable("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |given| root().join(given))
}

/// The value of an environment variable, if it is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one reader of the environment in xtask"
    )]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The program of that name on the PATH.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Whether the program answers with success; what it prints is dropped.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether this process may install packages without asking anyone.
pub(crate) fn is_superuser() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// Whether libclang lies where its users look for it, with the compiler's own headers.
pub(crate) fn has_libclang() -> bool {
    let library = |name: &str| name.starts_with("libclang") && name.contains(".so");
    if let Some(folder) = variable("LIBCLANG_PATH") {
        return holds(Path::new(&folder), library);
    }
    children("/usr/lib").iter().any(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("llvm")
            && holds(&folder.join("lib"), library)
            && folder.join("lib/clang").is_dir()
    })
}

/// Whether Debian's PostgreSQL server is installed.
pub(crate) fn has_postgres() -> bool {
    children("/usr/lib/postgresql")
        .iter()
        .any(|version| version.join("bin/initdb").is_file())
}

/// Whether a font file is where Debian puts it.
pub(crate) fn has_font(file: &str) -> bool {
    let kinds = ["opentype", "truetype"].map(|it| Path::new("/usr/share/fonts").join(it));
    let mut families = kinds.iter().flat_map(children);
    families.any(|it| it.join(file).is_file())
}

fn children(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn holds(folder: &Path, wanted: impl Fn(&str) -> bool) -> bool {
    children(folder)
        .iter()
        .filter_map(|file| file.file_name()?.to_str())
        .any(wanted)
}
