//! Learners who do not exist: names of every shape, and numbers of regions that were never assigned.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};

use super::random::Random;

const SURNAMES: [&str; 40] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭",
    "何", "林", "高", "罗", "郑", "梁", "谢", "宋", "唐", "许", "邓", "冯", "韩", "曹", "曾", "彭",
    "萧", "蔡", "潘", "田", "董", "袁", "欧阳", "司马",
];
const GIVEN: [&str; 48] = [
    "伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟",
    "涛", "明", "超", "秀兰", "霞", "平", "刚", "桂英", "建国", "志强", "晓东", "海燕", "玉兰",
    "文博", "子涵", "雨桐", "浩然", "梓萱", "宇轩", "欣怡", "俊杰", "思远", "若曦", "国庆", "建华",
    "春梅", "红霞", "嘉怡", "天佑", "一诺", "雪梅", "振华", "慧敏",
];
/// Names that careless programs cut, split or lose: with a dot, very long, with characters outside the basic plane.
const RARE: [&str; 12] = [
    "阿依古丽·买买提",
    "迪丽热巴·阿不都热依木",
    "买买提江·吾斯曼·艾山",
    "次仁卓嘎",
    "欧阳𬱖",
    "𠮷田𣲘",
    "李𬭎",
    "王㛃",
    "孛儿只斤·帖木儿·巴雅尔·乌力吉图",
    "陈䶮",
    "爱新觉罗·启𬀩",
    "Maria da Conceição Silva",
];
/// One name in so many is rare.
const RARE_ONE_IN: u64 = 40;

/// The prefixes of regions that were never assigned, with two more digits behind each.
const PREFIXES: [u64; 2] = [3199, 3299];
const BIRTH_FIRST: Date = date(1940, 1, 1);
const BIRTH_DAYS: u64 = 68 * 365;
const ORDERS: u64 = 1_000;
/// How many numbers there are, and a number prime to it, which scatters neighbours.
const NUMBERS: u64 = PREFIXES.len() as u64 * 100 * BIRTH_DAYS * ORDERS;
const SCATTER: u64 = 1_000_003;

/// A learner by place: the same for the same seed.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) resident_id: String,
    pub(super) student_number: String,
}

/// The learner at a place.
pub(super) fn person(seed: u64, place: u64) -> Person {
    let mut random = Random::of(seed ^ 0x70_65_6f_70_6c_65, place);
    let name = if random.below(RARE_ONE_IN) == 0 {
        random.pick(&RARE).to_owned()
    } else {
        format!("{}{}", random.pick(&SURNAMES), random.pick(&GIVEN))
    };
    let year = random.within(2016, 2024);
    Person {
        name,
        resident_id: resident_id(seed, place),
        student_number: format!("{year}{place:07}"),
    }
}

/// A number with its right check digit; different places have different numbers, up to [`NUMBERS`].
fn resident_id(seed: u64, place: u64) -> String {
    let number = u128::from(place % NUMBERS) * u128::from(SCATTER) + u128::from(seed % NUMBERS);
    let number = (number % u128::from(NUMBERS)) as u64;
    let (order, rest) = (number % ORDERS, number / ORDERS);
    let (day, region) = (rest % BIRTH_DAYS, rest / BIRTH_DAYS);
    let born = BIRTH_FIRST.saturating_add((day as i64).days());
    let body = format!(
        "{}{:02}{:04}{:02}{:02}{order:03}",
        PREFIXES[(region / 100) as usize],
        region % 100,
        born.year(),
        born.month(),
        born.day()
    );
    let check = check_digit(&body);
    format!("{body}{check}")
}

/// The check character of GB 11643.
fn check_digit(body: &str) -> char {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body
        .bytes()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    char::from(b"10X98765432"[(sum % 11) as usize])
}
