//! The words of all pages, Chinese and English, as Fluent messages. One file a family of pages, the same in both languages.

use std::collections::HashMap;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::{LanguageIdentifier, langid};

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lang {
    /// 中文
    #[default]
    Zh,
    /// English
    En,
}

impl Lang {
    /// As the attribute `lang` has it.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// One of two texts.
    pub(crate) fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// Names the files of `locales` once; both languages have each.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        const ZH: &[(&str, &str)] = &[$(($name, include_str!(concat!("../locales/zh/", $name, ".ftl")))),*];
        const EN: &[(&str, &str)] = &[$(($name, include_str!(concat!("../locales/en/", $name, ".ftl")))),*];
    };
}

files!(
    "frame",
    "archive",
    "recognition",
    "code",
    "share",
    "verify",
    "statistics",
    "desk",
    "account"
);

static WORDS: LazyLock<[Words; 2]> = LazyLock::new(|| {
    [
        Words::new(langid!("zh-CN"), ZH),
        Words::new(langid!("en"), EN),
    ]
});

/// The messages of one language.
struct Words {
    bundle: FluentBundle<FluentResource>,
    /// Those without values, as they are shown: most of a page.
    plain: HashMap<&'static str, String>,
}

impl Words {
    fn new(lang: LanguageIdentifier, files: &[(&'static str, &'static str)]) -> Self {
        let bundle = bundle(lang, files);
        let lines = files.iter().flat_map(|(_, text)| text.lines());
        let keys = lines.filter_map(|line| Some(line.split_once(" =")?.0));
        let plain = keys.filter_map(|key| {
            let pattern = bundle.get_message(key)?.value()?;
            let mut errors = Vec::new();
            let text = bundle.format_pattern(pattern, None, &mut errors);
            errors.is_empty().then(|| (key, text.into_owned()))
        });
        let plain = plain.collect();
        Self { bundle, plain }
    }
}

fn bundle(lang: LanguageIdentifier, files: &[(&str, &str)]) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(vec![lang]);
    bundle.set_use_isolating(false);
    for (name, text) in files {
        let resource = FluentResource::try_new((*text).to_owned());
        let resource = resource.unwrap_or_else(|(_, errors)| panic!("{name}.ftl: {errors:?}"));
        if let Err(errors) = bundle.add_resource(resource) {
            panic!("{name}.ftl: {errors:?}");
        }
    }
    bundle
}

/// The text of a message. One that is missing shows its key; a test finds those.
pub(crate) fn text(lang: Lang, key: &str, args: &[(&str, FluentValue<'_>)]) -> String {
    let Words { bundle, plain } = &WORDS[lang as usize];
    if let Some(text) = plain.get(key) {
        return text.clone();
    }
    let Some(pattern) = bundle.get_message(key).and_then(|it| it.value()) else {
        return key.to_owned();
    };
    let mut fluent = FluentArgs::with_capacity(args.len());
    for (name, value) in args {
        fluent.set(*name, value.clone());
    }
    let mut errors = Vec::new();
    bundle
        .format_pattern(pattern, Some(&fluent), &mut errors)
        .into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{EN, Lang, WORDS, ZH, text};

    fn keys(files: &'static [(&str, &str)]) -> BTreeSet<&'static str> {
        let mut keys = BTreeSet::new();
        for line in files.iter().flat_map(|(_, text)| text.lines()) {
            if let Some((key, _)) = line.split_once(" =")
                && line.starts_with(|first: char| first.is_ascii_lowercase())
            {
                assert!(keys.insert(key), "{key} stands twice");
            }
        }
        keys
    }

    /// Every `t("key"` and `t1("key"` of templates and sources.
    fn used(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder of this crate") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                used(&path, found);
                continue;
            }
            let source = std::fs::read_to_string(&path).expect("text");
            for call in [".t(\"", ".t1(\"", ".t2(\"", ".count(\""] {
                for part in source.split(call).skip(1) {
                    let key = part.split('"').next().unwrap_or_default();
                    found.insert(key.to_owned());
                }
            }
        }
    }

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(keys(ZH), keys(EN));
        assert_eq!(WORDS.len(), 2);
    }

    #[test]
    fn every_word_of_a_page_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = BTreeSet::new();
        used(&root.join("templates"), &mut found);
        used(&root.join("src/pages"), &mut found);
        used(&root.join("src/desk"), &mut found);
        let known = keys(ZH);
        let missing: Vec<_> = found
            .iter()
            .filter(|it| !known.contains(it.as_str()))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn numbers_are_put_into_texts() {
        let text = text(Lang::En, "frame-page", &[("n", 3.into())]);
        assert_eq!(text, "Page 3");
    }
}
