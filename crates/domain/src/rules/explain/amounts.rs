//! Amounts and grades in words: exact, without rounding.

use super::Language;
use crate::grade::{FiveLevel, PassFail};
use crate::{Credit, Grade};

/// Hundredths as the shortest decimal, of any size.
pub(super) fn decimal(hundredths: u64) -> String {
    match u32::try_from(hundredths) {
        Ok(small) => Credit::from_hundredths(small).to_string(),
        Err(_) => format!("{}.{:02}", hundredths / 100, hundredths % 100),
    }
}

/// A fraction of hundredths: a decimal where it is one, else whole and fraction in lowest terms.
pub(super) fn exact(numerator: u64, denominator: u64, language: Language) -> String {
    let denominator = denominator.max(1);
    if numerator.is_multiple_of(denominator) {
        return decimal(numerator / denominator);
    }
    let denominator = u128::from(denominator) * 100;
    let (whole, rest) = (
        u128::from(numerator) / denominator,
        u128::from(numerator) % denominator,
    );
    let shared = divisor(rest, denominator);
    let fraction = format!("{}/{}", rest / shared, denominator / shared);
    match (whole, language) {
        (0, _) => fraction,
        (whole, Language::Chinese) => format!("{whole} 又 {fraction}"),
        (whole, Language::English) => format!("{whole} {fraction}"),
    }
}

/// A grade as the language prints it.
pub(super) fn grade(grade: Grade, language: Language) -> String {
    let english = match grade {
        _ if language == Language::Chinese => return grade.to_string(),
        Grade::FiveLevel(FiveLevel::Excellent) => "excellent",
        Grade::FiveLevel(FiveLevel::Good) => "good",
        Grade::FiveLevel(FiveLevel::Medium) => "medium",
        Grade::FiveLevel(FiveLevel::Pass) | Grade::PassFail(PassFail::Pass) => "pass",
        Grade::FiveLevel(FiveLevel::Fail) | Grade::PassFail(PassFail::Fail) => "fail",
        Grade::Percentage(_) | Grade::Points(_) => return grade.to_string(),
    };
    english.to_owned()
}

/// Basis points as per cent.
pub(super) fn share(basis_points: u16) -> String {
    format!("{}%", decimal(basis_points.into()))
}

fn divisor(mut a: u128, mut b: u128) -> u128 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}
