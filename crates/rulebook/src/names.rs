//! Codes and numbers as documents and JSON write them.

use creditbank_domain::rules::{LineTarget, Place, RuleSet, TargetPlace};

/// What credit is for: `course:0001`, `module:electives`, `nothing`.
pub(crate) fn target_text(target: &LineTarget) -> String {
    match target {
        LineTarget::Course(code) => format!("course:{code}"),
        LineTarget::Module(id) => format!("module:{id}"),
        LineTarget::Nothing => "nothing".to_owned(),
    }
}

/// Hundredths as the shortest decimal.
pub(crate) fn hundredths_text(hundredths: u64) -> String {
    let (whole, part) = (hundredths / 100, hundredths % 100);
    match part {
        0 => format!("{whole}"),
        _ if part % 10 == 0 => format!("{whole}.{}", part / 10),
        _ => format!("{whole}.{part:02}"),
    }
}

/// A place of a set as `document:line`.
pub(crate) fn told(set: &RuleSet, place: Place) -> String {
    let document = set.documents.get(usize::from(place.document));
    let name = document.map_or("", |document| document.name.as_str());
    format!("{name}:{}", place.line)
}

/// Where credit goes as a rule writes it.
pub(crate) fn place_text(place: &TargetPlace) -> String {
    match place {
        TargetPlace::Course(key) => format!("course = \"{key}\""),
        TargetPlace::SameCourse => "same_course".to_owned(),
        TargetPlace::Tagged(tag) => format!("tagged = \"{tag}\""),
        TargetPlace::Electives => "electives".to_owned(),
        TargetPlace::Module(id) => format!("module = \"{id}\""),
    }
}
