//! What learners did: plausible courses, certificates, visits and walks of each category.

use creditbank_domain::outcome::Category;
use jiff::civil::{Date, date};

use super::random::Random;

/// The first day of an outcome and the number of days after it: long past, whatever the clock says.
const FIRST_DAY: Date = date(2020, 1, 1);
const DAYS: u64 = 6 * 365;

const DEGREE_COURSES: [(&str, &str); 16] = [
    ("高等数学（一）", "0101"),
    ("大学英语（二）", "0102"),
    ("中国近现代史纲要", "0103"),
    ("管理学原理", "0201"),
    ("基础会计", "0202"),
    ("经济法概论", "0203"),
    ("人力资源管理", "0204"),
    ("数据库应用技术", "0301"),
    ("计算机网络", "0302"),
    ("程序设计基础（Python）", "0303"),
    ("教育心理学", "0401"),
    ("学前儿童发展", "0402"),
    ("护理学导论", "0501"),
    ("社会工作概论", "0601"),
    ("公共行政学", "0602"),
    ("城市轨道交通概论", "0701"),
];
const SUBJECTS: [&str; 8] = [
    "行政管理",
    "工商管理",
    "会计学",
    "学前教育",
    "护理学",
    "计算机科学与技术",
    "社会工作",
    "物流管理",
];
const EXAM_PAPERS: [(&str, &str); 6] = [
    ("英语（二）", "00015"),
    ("高等数学（工本）", "00023"),
    ("中国近现代史纲要", "03708"),
    ("马克思主义基本原理概论", "03709"),
    ("大学语文", "04729"),
    ("管理系统中计算机应用", "00051"),
];
const CERTIFICATES: [(&str, &str); 6] = [
    ("养老护理员", "4-10-01-05"),
    ("家政服务员", "4-10-01-06"),
    ("中式烹调师", "4-03-02-01"),
    ("西式面点师", "4-03-02-04"),
    ("茶艺师", "4-03-02-07"),
    ("健康管理师", "4-14-02-02"),
];
const TRAININGS: [&str; 6] = [
    "智慧助老志愿者培训",
    "电子商务实务",
    "急救员（CPR+AED）培训",
    "社区工作者岗前培训",
    "短视频制作与直播",
    "垃圾分类指导员培训",
];
const COMMUNITY_COURSES: [&str; 8] = [
    "国画·花鸟",
    "书法（隶书）",
    "智能手机应用",
    "合唱",
    "太极拳（二十四式）",
    "家庭园艺",
    "中医养生",
    "摄影入门",
];
const ELDER_COURSES: [&str; 6] = [
    "钢琴初级班",
    "古诗词诵读",
    "民族舞",
    "健康管理与慢病自护",
    "时装表演",
    "越剧欣赏与演唱",
];
const VENUES: [(&str, &str); 6] = [
    ("上海博物馆", "青铜器专题导览"),
    ("上海图书馆东馆", "古籍修复体验"),
    ("上海科技馆", "机器人工作坊"),
    ("中华艺术宫", "海派绘画欣赏"),
    ("上海自然博物馆", "化石鉴定讲座"),
    ("上海历史博物馆", "城市考古导览"),
];
const ROUTES: [(&str, &str); 4] = [
    ("衡复风貌人文行走", "SH-HF"),
    ("外滩源人文行走", "SH-WT"),
    ("徐家汇源人文行走", "SH-XJH"),
    ("苏州河人文行走", "SH-SZH"),
];
const SITES: [(&str, &str); 6] = [
    ("310101", "外滩街道社区学校"),
    ("310104", "湖南街道老年学校"),
    ("310109", "四川北路街道社区学校"),
    ("310115", "陆家嘴街道社区学校"),
    ("320102", "梅园新村街道居民学校"),
    ("330106", "西溪街道成人文化技术学校"),
];
const LEVELS: [&str; 4] = ["优秀", "良好", "中等", "及格"];

/// The columns of a category, behind those that every category has.
pub(super) const fn columns(category: Category) -> &'static [&'static str] {
    match category {
        Category::DegreeCourse => &["form", "stage", "subject", "year", "term", "result"],
        Category::SelfStudyExam => &["course_code", "session", "province"],
        Category::SkillCertificate => &[
            "certificate_number",
            "occupation",
            "occupation_name",
            "level",
            "x_certificate",
        ],
        Category::Training => &["has_certificate"],
        Category::CommunityCourse => &["sessions_planned", "sessions_attended", "region", "site"],
        Category::ElderCourse => &[
            "sessions_planned",
            "sessions_attended",
            "year",
            "term",
            "region",
            "site",
        ],
        Category::VenueLearning => &["venue", "activity", "minutes"],
        Category::HumanitiesWalk => &["route", "points"],
        Category::DualTrack => &[
            "enterprise_name",
            "enterprise_code",
            "enterprise_institution",
            "enterprise_mentor",
            "college_institution",
            "college_mentor",
        ],
    }
}

/// What one row says of the outcome; empty texts are absent.
#[derive(Default)]
pub(super) struct Content {
    pub(super) name: String,
    pub(super) code: String,
    pub(super) credits: String,
    pub(super) hours: String,
    pub(super) grade: String,
    pub(super) completed_on: String,
    /// In the order of [`columns`].
    pub(super) detail: Vec<String>,
}

/// An outcome of a category; `institution` deposits it.
pub(super) fn content(category: Category, institution: &str, random: &mut Random) -> Content {
    let day = FIRST_DAY.saturating_add(jiff::Span::new().days(random.below(DAYS) as i64));
    let content = match category {
        Category::DegreeCourse => degree_course(day, random),
        Category::SelfStudyExam => self_study_exam(random),
        Category::SkillCertificate => skill_certificate(day, random),
        Category::Training => training(random),
        Category::CommunityCourse => community_course(random),
        Category::ElderCourse => elder_course(day, random),
        Category::VenueLearning => venue_learning(random),
        Category::HumanitiesWalk => humanities_walk(day, random),
        Category::DualTrack => dual_track(institution, random),
    };
    let completed_on = if content.completed_on.is_empty() {
        day.to_string()
    } else {
        content.completed_on
    };
    Content {
        completed_on,
        ..content
    }
}

fn detail<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn percentage(random: &mut Random) -> String {
    let whole = random.within(52, 99);
    if random.below(4) == 0 {
        format!("{whole}.5")
    } else {
        whole.to_string()
    }
}

fn degree_course(day: Date, random: &mut Random) -> Content {
    let (name, code) = random.pick(&DEGREE_COURSES);
    let credits = random.within(1, 6);
    let year = day.year().to_string();
    let term = if day.month() < 7 { "50" } else { "51" };
    let (form, stage, subject) = (
        random.pick(&["30", "31"]),
        random.pick(&["20", "21"]),
        random.pick(&SUBJECTS),
    );
    Content {
        name: name.to_owned(),
        code: code.to_owned(),
        credits: credits.to_string(),
        hours: (credits * 18).to_string(),
        grade: percentage(random),
        detail: detail([
            form,
            stage,
            subject,
            &year,
            term,
            random.pick(&["40", "40", "40", "41"]),
        ]),
        ..Content::default()
    }
}

fn self_study_exam(random: &mut Random) -> Content {
    let (name, code) = random.pick(&EXAM_PAPERS);
    let (year, month) = (random.within(2020, 2025), random.pick(&[4, 10]));
    Content {
        name: name.to_owned(),
        code: code.to_owned(),
        credits: random.within(2, 10).to_string(),
        grade: random.within(45, 92).to_string(),
        completed_on: format!("{year}-{:02}-{:02}", month + 1, random.within(10, 28)),
        detail: detail([
            code,
            &format!("{year}-{month:02}"),
            random.pick(&["31", "32", "33", "34"]),
        ]),
        ..Content::default()
    }
}

fn skill_certificate(day: Date, random: &mut Random) -> Content {
    let (name, occupation) = random.pick(&CERTIFICATES);
    let level = random.within(1, 5);
    let (body, site, serial) = (
        random.below(10_000),
        random.below(1_000_000),
        random.below(1_000_000),
    );
    let number = format!(
        "S{body:04}31{site:06}{:02}{level}{serial:06}",
        day.year() % 100
    );
    let x_certificate = random.pick(&["否", "否", "是"]);
    Content {
        name: format!("{name}职业技能等级证书"),
        grade: "合格".to_owned(),
        detail: detail([&number, occupation, name, &level.to_string(), x_certificate]),
        ..Content::default()
    }
}

fn training(random: &mut Random) -> Content {
    Content {
        name: random.pick(&TRAININGS).to_owned(),
        hours: (random.within(1, 10) * 8).to_string(),
        grade: random.pick(&["合格", "合格", "不合格"]).to_owned(),
        detail: detail([random.pick(&["是", "否"])]),
        ..Content::default()
    }
}

fn community_course(random: &mut Random) -> Content {
    let (region, site) = random.pick(&SITES);
    let planned = random.within(8, 18);
    let attended = random.within(planned / 2, planned);
    Content {
        name: random.pick(&COMMUNITY_COURSES).to_owned(),
        hours: (attended * 2).to_string(),
        detail: detail([&planned.to_string(), &attended.to_string(), region, site]),
        ..Content::default()
    }
}

fn elder_course(day: Date, random: &mut Random) -> Content {
    let (region, site) = random.pick(&SITES);
    let attended = random.within(7, 16);
    let term = if day.month() < 7 { "50" } else { "51" };
    Content {
        name: random.pick(&ELDER_COURSES).to_owned(),
        credits: if attended * 10 >= 16 * 7 { "2" } else { "0" }.to_owned(),
        hours: (attended * 2).to_string(),
        grade: random.pick(&LEVELS).to_owned(),
        detail: detail([
            "16",
            &attended.to_string(),
            &day.year().to_string(),
            term,
            region,
            site,
        ]),
        ..Content::default()
    }
}

fn venue_learning(random: &mut Random) -> Content {
    let (venue, activity) = random.pick(&VENUES);
    let minutes = random.within(3, 18) * 10;
    Content {
        name: activity.to_owned(),
        hours: (minutes / 45).to_string(),
        detail: detail([venue, activity, &minutes.to_string()]),
        ..Content::default()
    }
}

fn humanities_walk(day: Date, random: &mut Random) -> Content {
    let (name, route) = random.pick(&ROUTES);
    let (count, start) = (random.within(4, 8), random.within(8, 13) * 60);
    let point = |place: u64| {
        let minute = start + place * 25;
        format!(
            "{route}-{:02}@{day}T{:02}:{:02}:00",
            place + 1,
            minute / 60,
            minute % 60
        )
    };
    let points: Vec<_> = (0..count).map(point).collect();
    Content {
        name: name.to_owned(),
        hours: "2".to_owned(),
        detail: detail([route, &points.join(";")]),
        ..Content::default()
    }
}

/// The enterprise's code is the example that its standard prints.
fn dual_track(institution: &str, random: &mut Random) -> Content {
    let hours = random.within(2, 10) * 32;
    let mentor = |random: &mut Random| format!("M{:05}", random.below(100_000));
    let (at_work, at_college) = (mentor(random), mentor(random));
    Content {
        name: random
            .pick(&[
                "数控加工岗位实践",
                "酒店前厅岗位实践",
                "汽车维修岗位实践",
                "跨境电商岗位实践",
            ])
            .to_owned(),
        credits: (hours / 32).to_string(),
        hours: hours.to_string(),
        grade: random.pick(&LEVELS).to_owned(),
        detail: detail([
            "示例智造有限公司",
            "91350100M000100Y43",
            "example-works",
            &at_work,
            institution,
            &at_college,
        ]),
        ..Content::default()
    }
}
