//! What statistics know of a learner: year of birth and sex, where the identity document says them.

/// Sex (性别), by the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sex {
    /// The document does not say.
    #[default]
    Unknown = 0,
    /// 男.
    Male = 1,
    /// 女.
    Female = 2,
}

/// Age band (年龄段), by the age that a learner reaches in the year. So a learner is in one band a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgeBand {
    /// The document does not say.
    Unknown = 0,
    /// Up to 17.
    Minor = 1,
    /// 18 to 34.
    Young = 2,
    /// 35 to 49.
    Middle = 3,
    /// 50 to 59.
    Fifties = 4,
    /// 60 to 69.
    Sixties = 5,
    /// 70 to 79.
    Seventies = 6,
    /// 80 and more.
    Eighties = 7,
}

impl AgeBand {
    /// The band of an age.
    #[must_use]
    pub const fn of(age: i16) -> Self {
        match age {
            i16::MIN..0 => Self::Unknown,
            0..18 => Self::Minor,
            18..35 => Self::Young,
            35..50 => Self::Middle,
            50..60 => Self::Fifties,
            60..70 => Self::Sixties,
            70..80 => Self::Seventies,
            80.. => Self::Eighties,
        }
    }
}

/// A learner as statistics see one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Year of birth.
    pub born: Option<i16>,
    /// Sex.
    pub sex: Sex,
}

impl Person {
    /// Reads a number of the form that resident identity cards and residence permits share; of any other it knows nothing.
    #[must_use]
    pub fn of_number(number: &str) -> Self {
        let bytes = number.as_bytes();
        let is_form = bytes.len() == 18 && bytes[..17].iter().all(u8::is_ascii_digit);
        if !is_form {
            return Self::default();
        }
        let year = bytes[6..10]
            .iter()
            .fold(0, |year: i16, digit| year * 10 + i16::from(digit - b'0'));
        Self {
            born: Some(year),
            sex: match bytes[16] % 2 {
                1 => Sex::Male,
                _ => Sex::Female,
            },
        }
    }

    /// The band of the age that is reached in a year.
    #[must_use]
    pub fn band_in(&self, year: i16) -> AgeBand {
        self.born
            .map_or(AgeBand::Unknown, |born| AgeBand::of(year - born))
    }
}
