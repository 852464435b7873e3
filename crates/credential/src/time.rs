//! Times as credentials write them. An outcome's days are China's, so they are written with its offset and mean the same
//! day everywhere; times of the bank are written in UTC, in whole seconds.

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use crate::CredentialError;

/// The offset of China Standard Time, which the whole country keeps.
const CHINA: &str = "+08:00";
/// The last second of a day.
const LAST: Time = Time::constant(23, 59, 59, 0);

/// A time of the bank.
pub(crate) fn utc(time: Timestamp) -> Result<String, CredentialError> {
    let seconds = Timestamp::from_second(time.as_second())?;
    Ok(seconds.to_string())
}

/// A local day, from its first second or at the time that is known.
pub(crate) fn day(date: Date, at: Option<Time>) -> String {
    local(date, at.unwrap_or(Time::midnight()))
}

/// The last second of a local day.
pub(crate) fn end_of(date: Date) -> String {
    local(date, LAST)
}

fn local(date: Date, time: Time) -> String {
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{date}T{hour:02}:{minute:02}:{second:02}{CHINA}")
}
