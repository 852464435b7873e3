//! Archives of a small bank, made from a seed.

use creditbank_domain::statistics::{
    Cell, Cells, Content, Fact, History, MEASURES, Person, Population, Sex, Subject, Sums, Table,
    Yearbook, figures,
};
use creditbank_domain::{Category, LeafIndex};
use jiff::civil::date;

/// Size of a log that holds every leaf of these tests.
pub(crate) const ALL: u64 = u64::MAX;

/// An outcome of a category in a month of 2026, of ten hours and one credit.
pub(crate) fn learnt(leaf: u64, code: u64, category: Category, month: i8) -> Fact {
    Fact {
        leaf: LeafIndex(leaf),
        ended: None,
        code,
        on: date(2026, month, 15),
        content: Content::Learnt {
            category,
            institution: 1,
            district: 310_101,
            hours: 1000,
            credits: 100,
            is_passed: true,
        },
    }
}

/// An archive of one code.
pub(crate) fn archive(code: u64, person: Person, facts: Vec<Fact>) -> History {
    History {
        codes: vec![(code, person)],
        merges: Vec::new(),
        facts,
    }
}

pub(crate) fn cell(subject: Subject, table: Table, a: u32, b: u32) -> Cell {
    Cell {
        year: 2026,
        subject,
        table,
        a,
        b,
    }
}

/// Numbers that follow from a seed.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// Small numbers often, large ones seldom: tables with many small cells.
    fn skewed(&mut self, bound: u64) -> u64 {
        let most = self.below(bound) + 1;
        self.below(most)
    }
}

/// The cells of a bank with this many learners: few fail, not everything has hours, few are refused or appeal.
pub(crate) fn bank(seed: u64, learners: u64) -> Cells {
    let mut chance = Chance(seed);
    let mut cells = Cells::default();
    for code in 0..learners {
        let person = Person {
            born: Some(1930 + chance.below(80) as i16),
            sex: [Sex::Male, Sex::Female][chance.below(2) as usize],
        };
        let mut facts: Vec<Fact> = (0..=chance.skewed(5))
            .map(|_| outcome(&mut chance, code))
            .collect();
        for content in recognised(&mut chance) {
            facts.push(Fact {
                on: date(2026, 1 + chance.skewed(12) as i8, 1),
                content,
                ..learnt(0, code, Category::Training, 1)
            });
        }
        cells.add_all(&figures(&archive(code, person, facts), ALL));
    }
    cells
}

fn outcome(chance: &mut Chance, code: u64) -> Fact {
    let district = 310_101 + chance.skewed(5) as u32;
    Fact {
        leaf: LeafIndex(code),
        ended: None,
        code,
        on: date(
            2026 - chance.skewed(2) as i16,
            1 + chance.skewed(12) as i8,
            1,
        ),
        content: Content::Learnt {
            category: Category::ALL[chance.skewed(9) as usize],
            institution: district % 100 * 10 + chance.skewed(4) as u32,
            district,
            hours: 100 * chance.skewed(40) as u32,
            credits: 50 * chance.below(5) as u32,
            is_passed: chance.below(12) > 0,
        },
    }
}

/// What becomes of one learner in three, points included.
fn recognised(chance: &mut Chance) -> Vec<Content> {
    if chance.below(3) > 0 {
        return Vec::new();
    }
    let mut contents = vec![
        Content::Applied,
        Content::Points {
            earned: 10 + chance.below(50) as u32,
            redeemed: 5 * (chance.below(9) / 8) as u32,
            ended: chance.below(20) as u32 / 18,
        },
    ];
    if chance.below(5) > 0 {
        contents.push(Content::Decided {
            days: chance.below(40) as u16,
            is_granted: chance.below(10) > 0,
        });
    }
    if chance.below(15) == 0 {
        contents.push(Content::Appealed);
    }
    contents
}

/// What is kept of a cell in which everybody has a part in every figure.
pub(crate) fn shared(amounts: [i64; MEASURES]) -> Sums {
    let mut sums = Sums::default();
    sums[..MEASURES].copy_from_slice(&amounts);
    for at in 1..MEASURES {
        if amounts[at] > 0 {
            sums[MEASURES + at] = amounts[0];
            sums[2 * MEASURES + at] = amounts[at] * amounts[at] / amounts[0];
        }
    }
    sums
}

/// Its yearbook of 2026.
pub(crate) fn yearbook(cells: &Cells) -> Yearbook {
    let population = Population {
        source: "第七次人口普查".into(),
        dated: "2020-11-01".into(),
        residents: [(0, 24_870_895), (310_101, 662_030)].into(),
    };
    Yearbook::new(("sh.example/log", 2026), (1000, [7; 32]), population, cells)
}
