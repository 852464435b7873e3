//! Who is recognised, for what, and with which results.

/// A learner, what they are after, and how the commands name them.
pub(in crate::demo) struct Learner {
    /// The demo's step.
    pub(in crate::demo) step: &'static str,
    /// What they are called.
    pub(in crate::demo) name: String,
    /// Who they are, in a sentence.
    pub(in crate::demo) about: String,
    /// Kind of the identity document.
    pub(in crate::demo) document: &'static str,
    /// Its number. Those of residents are of a region that was never assigned.
    pub(in crate::demo) number: String,
    /// The institution that knows them, and asks for their learner code.
    pub(in crate::demo) keeper: String,
    /// Results to deposit first, beside those that are in the ledger.
    pub(in crate::demo) results: Option<File>,
    /// Rule set.
    pub(in crate::demo) rules: &'static str,
    /// Programme of the rule set, and what it is called.
    pub(in crate::demo) programme: &'static str,
    pub(in crate::demo) aim: &'static str,
    /// A rule and an outcome, by its name, that it gives nothing for: why not?
    pub(in crate::demo) doubt: Option<(&'static str, &'static str)>,
    /// Whether they collect points.
    pub(in crate::demo) earns: bool,
}

/// A file of the demo: its name and its text.
pub(in crate::demo) type File = (&'static str, &'static str);

/// The three sample learners.
pub(super) fn samples() -> [Learner; 3] {
    [
        Learner {
            step: "recognise an elder's classes",
            name: "陆慧珍".to_owned(),
            about: "退休教师，上老年大学和社区课程，走人文行走线路，想要市民终身学习证书"
                .to_owned(),
            document: "resident-id",
            number: "319901195203180021".to_owned(),
            keeper: "xh-elder".to_owned(),
            results: Some(("lu-huizhen.ndjson", include_str!("lu-huizhen.ndjson"))),
            rules: "elder-and-community",
            programme: "citizen-certificate",
            aim: "市民终身学习证书",
            doubt: Some(("elder-class", "智能手机应用")),
            earns: true,
        },
        Learner {
            step: "recognise a nursing assistant's certificate and work",
            name: "何秀兰".to_owned(),
            about: "养老护理员，有四级证书，在双元制专业里一边上岗一边读大专".to_owned(),
            document: "resident-id",
            number: "319901198509040041".to_owned(),
            keeper: "succ".to_owned(),
            results: Some(("he-xiulan.ndjson", include_str!("he-xiulan.ndjson"))),
            rules: "certificates",
            programme: "elder-care-dual",
            aim: "智慧健康养老服务与管理（专科，双元制）",
            doubt: None,
            earns: false,
        },
        Learner {
            step: "recognise a self-study candidate's certificates",
            name: "周明远".to_owned(),
            about: "自学考试考生，用英语和计算机等级证书免考，已合格两门课程".to_owned(),
            document: "resident-id",
            number: "319901199806120018".to_owned(),
            keeper: "shmeea".to_owned(),
            results: Some(("zhou-mingyuan.ndjson", include_str!("zhou-mingyuan.ndjson"))),
            rules: "certificates",
            programme: "self-study-admin",
            aim: "行政管理（自学考试，专升本）",
            doubt: None,
            earns: false,
        },
    ]
}
